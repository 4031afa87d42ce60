"""GLM-TTS: text and a reference recording become speech in the voice of the recording."""
