"""Many texts in one go: reading the lines, checking them, speaking them, losing none."""
