"""Models: each file holds one family, and only its own terms."""
