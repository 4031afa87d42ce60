"""GLM-TTS Studio: text-to-speech with its memory in view and under control."""

__version__ = "0.1.0"
