"""What every reader of untrusted files needs: a bounded list of a zip's parts, and texts that are safe to show."""

import contextlib
import io
import zipfile

from tsdsae_keras.errors import InputError

MOST_LISTED = 1 << 23  # bytes of the list of parts; a zip file object takes twenty times as much memory


class _BoundedFile(io.FileIO):
    """A file that reads no more than `most` bytes at once."""

    most = MOST_LISTED

    def read(self, size=-1):
        if size > self.most:
            raise InputError(f"has a list of parts of {size} bytes; at most {self.most} are read")
        return super().read(size)


@contextlib.contextmanager
def open_zip(path):
    """A context with a `zipfile.ZipFile` for reading, once its list of parts is known to be short.

    Raises:
        InputError: the list is too long; the text does not name the file.
        zipfile.BadZipFile: or another error of a damaged archive.
    """
    with _BoundedFile(path) as file, zipfile.ZipFile(file) as archive:
        file.most = float("inf")  # the parts are as long as their entries say, which the caller checks
        yield archive


def one_line(text, most=200):
    """A text from a file, or an error, as it can be shown: one line, no control characters, at most `most` letters."""
    text = str(text)[: 4 * most]
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


def shown_names(names, most=8):
    """Names from a file: the first few, and how many more there are."""
    names = [one_line(name, 60) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def reason(error):
    """Why reading failed, in one line: the text of an error, or its kind where it has none."""
    # A value of the file itself, such as the key of a KeyError, can be nested so that its text would never end.
    return one_line(" ".join(part for part in error.args if isinstance(part, str))) or type(error).__name__
