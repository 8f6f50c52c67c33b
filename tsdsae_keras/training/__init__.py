"""Training: the step of each backend, the callbacks, the run folder."""
