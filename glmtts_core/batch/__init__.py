"""Batches: a folder, its database, the lines spoken one after the other, and none lost."""
