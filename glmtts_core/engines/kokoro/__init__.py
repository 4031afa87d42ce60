"""The built-in voice: Kokoro-82M through ONNX Runtime, without PyTorch."""
