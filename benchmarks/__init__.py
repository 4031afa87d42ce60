"""What the project claims about itself, measured. Run one with ``python -m benchmarks.NAME``."""
