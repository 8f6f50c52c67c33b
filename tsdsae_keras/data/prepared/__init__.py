"""The folder format and its stream."""
