"""The one error a user of this library is meant to read."""


class InputError(ValueError):
    """Something given by the user cannot be used.

    The message is one line: it names the thing, shows the value that came in and says what would be right.
    The command line prints it without a traceback and exits with status 2.
    """
