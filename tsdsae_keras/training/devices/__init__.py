"""Training on several devices of one machine or of several."""
