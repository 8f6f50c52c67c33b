"""Hyperparameter search with KerasTuner: the smallest model that disentangles and reconstructs."""
