"""A batch file as lines: encodings, layouts, fields, and the recordings that lines name."""
