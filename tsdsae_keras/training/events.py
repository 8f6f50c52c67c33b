"""Numbers, pictures and sounds for TensorBoard, by `tf.summary` on every backend."""

import contextlib
import errno

import keras  # noqa: F401 - first: with PyTorch underneath, torch must be imported before tensorflow
import numpy as np
import tensorflow as tf

from tsdsae_keras.errors import InputError


class EventWriter:
    """Appends to a new event file in `folder`, which is made when missing. Use it as a context or close it.

    Args:
        folder: the run's log folder, as given to ``tensorboard --logdir``.
        first_step: what earlier files of the folder hold from this step on is taken back.

    Raises:
        InputError: the folder cannot be written.
        OSError: later, where the disk is full or the file cannot be written any more.
    """

    def __init__(self, folder, first_step=0):
        self._folder = folder
        try:
            # No queue: what was written before a run is killed is on disk.
            self._writer = tf.summary.create_file_writer(str(folder), max_queue=0)
        except tf.errors.OpError as error:
            raise InputError(f"cannot write TensorBoard logs to {folder}: {_reason(error)}") from error
        self._start(first_step)

    def _start(self, step):
        """Writes that a session starts: TensorBoard drops what earlier sessions of the folder hold from `step` on.

        It takes the first START it sees for the first session, so the file of a new run has one too. `tf.summary`
        writes summaries only, hence the raw operation.
        """
        log = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        event = tf.compat.v1.Event(step=step, session_log=log)
        with self._at(step):
            tf.raw_ops.ImportEvent(writer=self._writer._resource, event=event.SerializeToString())

    def scalars(self, values, step):
        """Write ``{name: number}`` at this step; a name may hold slashes, which group the charts."""
        with self._at(step):
            for name, value in values.items():
                tf.summary.scalar(name, float(value))

    def picture(self, name, png, step):
        """Write one picture, given as the bytes of a PNG file."""
        try:
            pixels = tf.io.decode_png(png)
        except tf.errors.InvalidArgumentError:
            raise InputError(f"a picture should be the bytes of a PNG file; these begin with {png[:8]!r}") from None
        with self._at(step):
            tf.summary.image(name, pixels[None])

    def sound(self, name, samples, sample_rate, step):
        """Write one sound: `samples` (n,) floats in -1 to 1 (beyond is clipped), kept as 16-bit WAV."""
        with self._at(step):
            tf.summary.audio(name, np.float32(samples)[None, :, None], sample_rate)

    def close(self):
        """Finish the file; closing twice is harmless."""
        with self._os_errors():
            self._writer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @contextlib.contextmanager
    def _at(self, step):
        with self._os_errors(), self._writer.as_default(step=step):
            yield

    @contextlib.contextmanager
    def _os_errors(self):
        """Turns what TensorFlow raises where a file cannot be written into what Python raises there."""
        try:
            yield
        except tf.errors.OpError as error:
            raise OSError(errno.EIO, _reason(error), str(self._folder)) from error


def _reason(error):
    """The cause in TensorFlow's words: "File too large" of "{{node ...}} FILE; File too large" and more lines."""
    return error.message.splitlines()[0].rpartition("; ")[2].rpartition("}} ")[2].partition(" [Op:")[0]
