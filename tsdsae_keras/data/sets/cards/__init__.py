"""The cards of the data sets: what they are and their options. Light."""
