"""Numbers, pictures and sounds for TensorBoard, written without TensorFlow.

The file is a sequence of length-prefixed `Event` protocol buffers. TensorBoard brings the message types and
the framing; its own writer would import TensorFlow wherever that is installed, so the file is opened here.
"""

import io
import itertools
import os
import socket
import struct
import time
from pathlib import Path

from tsdsae_keras.errors import InputError

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_count = itertools.count()


class EventWriter:
    """Appends to a new event file in `folder`, which is made when missing. Use it as a context or close it.

    Args:
        folder: the run's log folder, as given to ``tensorboard --logdir``.
        first_step: what earlier files of the folder hold from this step on is taken back; None takes nothing back.

    Raises:
        InputError: the folder cannot be written.
    """

    def __init__(self, folder, first_step=None):
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._records = RecordWriter(_open_new(Path(folder)))
        self._write(file_version="brain.Event:2")
        if first_step is not None:
            self._write(first_step, session_log={"status": "START"})

    def scalars(self, values, step):
        """Write ``{name: number}`` at this step; a name may hold slashes, which group the charts."""
        self._write(step, [{"tag": name, "simple_value": float(value)} for name, value in values.items()])

    def picture(self, name, png, step):
        """Write one picture, given as the bytes of a PNG file."""
        width, height = _png_size(png)
        image = {"width": width, "height": height, "colorspace": 4, "encoded_image_string": png}
        self._write(step, [{"tag": name, "image": image}])

    def sound(self, name, samples, sample_rate, step):
        """Write one sound: `samples` (n,) floats in -1 to 1 (beyond is clipped), kept as 16-bit WAV."""
        audio = {
            "sample_rate": sample_rate,
            "num_channels": 1,
            "length_frames": len(samples),
            "encoded_audio_string": _wav_bytes(samples, sample_rate),
            "content_type": "audio/wav",
        }
        self._write(step, [{"tag": name, "audio": audio}])

    def close(self):
        """Finish the file; closing twice is harmless."""
        if not self._records.closed:
            self._records.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _write(self, step=0, values=(), **fields):
        from tensorboard.compat.proto.event_pb2 import Event

        summary = {"summary": {"value": list(values)}} if values else {}
        event = Event(wall_time=time.time(), step=int(step), **summary, **fields)
        self._records.write(event.SerializeToString())
        self._records.flush()


def _open_new(folder):
    # TensorBoard reads the files of a folder in the order of their names, so the time comes first.
    stamp = f"{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_count)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return open(folder / f"events.out.tfevents.{stamp}", "xb")  # closed by EventWriter.close
    except OSError as error:
        raise InputError(f"cannot write TensorBoard logs to {folder}: {error.strerror}") from error


def _png_size(png):
    if not png.startswith(_PNG_HEAD) or len(png) < 24:
        raise InputError(f"a picture should be the bytes of a PNG file; these begin with {bytes(png[:8])!r}")
    return struct.unpack(">II", png[16:24])


def _wav_bytes(samples, sample_rate):
    import numpy as np
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1.0, 1.0), sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
