"""The sub-commands, each a function of the library called with parsed settings."""
