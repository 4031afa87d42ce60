"""The text front end of GLM-TTS, and its tokenizer."""
