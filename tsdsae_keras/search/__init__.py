"""Search with KerasTuner."""
