"""TS-DSAE, DSAE and DSAE-f."""
