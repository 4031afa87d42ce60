"""What is prepared for the next run: a file and recordings, checked before anything is spoken."""
