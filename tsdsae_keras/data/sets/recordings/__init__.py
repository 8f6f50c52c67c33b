"""Recordings of one's own and published ones."""
