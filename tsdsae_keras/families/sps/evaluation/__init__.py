"""What a model of physical symmetry is scored for: pitch or place of its codes, and what its prior imagines."""
