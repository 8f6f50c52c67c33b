"""Metrics: numpy in, number out."""
