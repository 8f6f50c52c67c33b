"""Your own recordings and published ones."""
