"""Where every byte is, and how it is given back."""
