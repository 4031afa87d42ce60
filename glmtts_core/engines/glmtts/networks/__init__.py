"""The networks of GLM-TTS, each on its own; none knows about files or requests."""
