"""States and checkpoints of the authors' code."""
