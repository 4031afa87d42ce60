"""The official checkpoint: fetched, inspected, read into networks."""
