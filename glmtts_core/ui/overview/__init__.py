"""The overview page: where the bytes are, the last syntheses, first steps."""
