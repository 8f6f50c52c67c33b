"""How well a model keeps apart what stays and what moves: codes, swaps, judges, one result."""
