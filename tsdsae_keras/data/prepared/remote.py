"""Files and folders in object storage, with as much of `pathlib` as reading a prepared folder takes."""

import io
import re
from pathlib import Path
from types import SimpleNamespace

from tsdsae_keras.errors import InputError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_BUFFER = 1 << 16  # bytes


def to_path(folder):
    """The path of a folder: a `Path`, or a `RemotePath` for a URL such as gs://bucket/data."""
    if isinstance(folder, RemotePath) or (isinstance(folder, str) and _URL.match(folder)):
        return RemotePath(str(folder))
    return Path(folder)


class RemotePath:
    """A file or folder by its URL, such as gs://bucket/data; TensorFlow's file systems (`tf.io.gfile`) read it.

    Raises:
        InputError: at any access that fails, with the reason.
    """

    def __init__(self, url):
        self.url = url.rstrip("/")

    def __truediv__(self, name):
        return RemotePath(f"{self.url}/{name}")

    def __str__(self):
        return self.url

    def __repr__(self):
        return f"RemotePath({self.url!r})"

    def resolve(self):
        return self

    def is_symlink(self):
        return False

    def is_dir(self):
        return self.call(lambda gfile: gfile.isdir(self.url))

    def is_file(self):
        return self.call(lambda gfile: gfile.exists(self.url) and not gfile.isdir(self.url))

    def iterdir(self):
        return (self / name for name in self.call(lambda gfile: gfile.listdir(self.url)))

    def stat(self):
        return SimpleNamespace(st_size=self.call(lambda gfile: gfile.stat(self.url).length))

    def open(self, mode="rb"):
        """The file, for reading bytes."""
        file = self.call(lambda gfile: gfile.GFile(self.url, mode))
        return io.BufferedReader(_RemoteFile(self, file, self.stat().st_size), _BUFFER)

    def call(self, function):
        """`function(tf.io.gfile)`, with what TensorFlow raises turned into one line."""
        import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
        import tensorflow as tf

        try:
            return function(tf.io.gfile)
        except tf.errors.OpError as error:
            reason = " ".join("".join(c if c.isprintable() else " " for c in error.message).split())[:200]
            raise InputError(f"{self} cannot be read ({reason}): check the URL and your access to it") from None


class _RemoteFile(io.RawIOBase):
    def __init__(self, path, file, size):
        self._path, self._file, self._size = path, file, size

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, place, whence=io.SEEK_SET):
        place += {io.SEEK_SET: 0, io.SEEK_CUR: self._file.tell(), io.SEEK_END: self._size}[whence]
        # TensorFlow refuses to seek beyond the end, where a file on a disk just has nothing to read.
        self._path.call(lambda _: self._file.seek(min(place, self._size)))
        return place

    def tell(self):
        return self._file.tell()

    def readinto(self, out):
        content = self._path.call(lambda _: self._file.read(len(out)))
        out[: len(content)] = content
        return len(content)

    def close(self):
        if not self.closed:
            self._file.close()
        super().close()
