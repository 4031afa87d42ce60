"""Sound files: what kinds there are, and their samples, by libsndfile or the program ffmpeg."""
