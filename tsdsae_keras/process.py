"""What is set for the whole process: memory that is freed stays with it, libraries load in silence, lines of progress.

Every module logs to its own logger below "tsdsae_keras": progress at INFO, what deserves attention at WARNING. Nothing
is printed unless the program that uses the library configures `logging`, or enters `log_to_stdout`.
"""

import contextlib
import ctypes
import logging
import os
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
_kept = []  # whether memory was asked to be kept, in this process


def keep_memory():
    """Lets glibc keep the memory of large arrays for the next ones of their size, instead of giving it back.

    By default every array of more than 32 MB, and of less at first, is new memory in which each page must be cleared
    at its first touch. The process holds on to the most that it ever needed. It works for threads that have not
    started yet, so call it before the backend is loaded. Elsewhere than on Linux with glibc it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        _kept[:] = [True]
        mallopt(MMAP_THRESHOLD, 1 << 30)
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(ARENA_MAX, 1)  # those of threads are of 64 MB at most and give larger arrays back all the same


def keep_memory_again():
    """Sets what `keep_memory` set, where it was called, again, because something else has changed it since."""
    if _kept:
        keep_memory()


@contextlib.contextmanager
def no_chatter():
    """Drops what libraries write to the error descriptor as they load: TensorFlow does so at any log level."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class _Lines(logging.Handler):
    """Prints messages to what `sys.stdout` is at that moment, in order with the epochs that `ShowProgress` prints."""

    def emit(self, record):
        print(self.format(record), flush=True)


@contextlib.contextmanager
def log_to_stdout():
    """While it is entered, progress and warnings of the library are printed, as the command line does."""
    logger, handler = logging.getLogger("tsdsae_keras"), _Lines()
    logger.addHandler(handler)
    try:
        with log_level(logging.INFO):
            yield
    finally:
        logger.removeHandler(handler)


@contextlib.contextmanager
def log_level(level):
    """While it is entered, the library logs from this level on."""
    logger = logging.getLogger("tsdsae_keras")
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)
