"""From notes or audio files to prepared sequences: each file is imported by its own name, and only when needed."""
