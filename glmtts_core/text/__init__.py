"""Text before it is spoken: language, normalisation, splitting."""
