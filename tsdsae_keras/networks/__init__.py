"""Layers and parts of networks."""
