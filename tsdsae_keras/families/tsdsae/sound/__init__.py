"""Sound through a TS-DSAE."""
