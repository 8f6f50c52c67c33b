"""Scores of a TS-DSAE."""
