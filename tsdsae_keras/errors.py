"""The errors a user reads, and the end of a run that was asked to stop."""

import reprlib

LONGEST_SHOWN = 80  # letters


class InputError(ValueError):
    """Something given by the user cannot be used.

    The message is one line: it names the thing, shows the value that came in and says what would be right.
    The command line prints it without a traceback and exits with status 2.
    """


class TrainingDiverged(RuntimeError):
    """Training no longer gives finite values: the data and settings could be used, but led nowhere.

    The message is one line that says when, what is kept, and what to try. The command line ends with it as with an
    `InputError`; a search and a study continue without the run.
    """


class Stopped(Exception):
    """A run was asked to stop and did: the message is one line that says how to resume.

    Args:
        message: the line.
        status: of the process's end, by convention 128 and the signal's number.
    """

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


def quote(value):
    """What came in, for an error: on one line and short, however large or odd it is."""
    return reprlib.repr(value)[:LONGEST_SHOWN]
