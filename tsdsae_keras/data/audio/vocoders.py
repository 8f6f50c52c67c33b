"""What turns log-mel frames into sound: the protocol, and vocoders kept as Keras models."""

import zipfile
from pathlib import Path
from typing import Protocol

import numpy as np

from tsdsae_keras.errors import InputError


class Vocoder(Protocol):
    """A function of (log_mel, front_end, seed); `tsdsae_keras.data.audio.inversion.sound_of` is one.

    Args:
        log_mel: natural logarithm of mel power, (T, n_mels), as `front_end.log_mel` gives it; level included.
        front_end: the `FrontEnd` of these frames.
        seed: integer, of whatever it draws.

    Returns:
        Finite float samples, ((T - 1) * hop_length,): frame k is centred on sample k * hop_length.
    """

    def __call__(self, log_mel, front_end, seed): ...


class KerasVocoder:
    """A `Vocoder` kept as a `.keras` file: a model of one input (1, T, n_mels), any T, the log-mel frames as above.

    Its output is (1, T * hop_length) or (1, T * hop_length, 1) samples, those of frame k from k * hop_length on; the
    last hop is dropped. It must be of the front end's rate and bands, which the file cannot tell.

    Keras's safe mode keeps Python code and foreign classes out. It does not see how much memory a file will take, nor
    layers of Keras that read other files: take vocoders from where you would take programs.

    Raises:
        InputError: no such file, not a `.keras` file, or not one that loads safely; when called, an output of another
            shape or not finite.
    """

    def __init__(self, path):
        import keras

        self.path = Path(path)
        if self.path.suffix != ".keras" or not self.path.is_file() or not zipfile.is_zipfile(self.path):
            raise InputError(f"the vocoder {path} is not a .keras file; give a Keras model from log-mel to samples")
        try:
            self._model = keras.saving.load_model(self.path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises whatever its parts raise
            reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
            raise InputError(f"the vocoder {path} cannot be loaded: {reason[0]}") from error

    def __call__(self, log_mel, front_end, seed=0):
        import keras

        frames, hop = len(log_mel), front_end.hop_length
        try:
            made = keras.ops.convert_to_numpy(self._model(np.asarray(log_mel, np.float32)[None]))
        except Exception as error:
            reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
            raise InputError(f"the vocoder {self.path} does not take {log_mel.shape}: {reason[0]}") from error
        if made.shape not in ((1, frames * hop), (1, frames * hop, 1)) or not np.isfinite(made).all():
            wanted = f"finite samples of shape (1, {frames * hop})"
            raise InputError(f"the vocoder {self.path} gave {made.shape} for {frames} frames; it must give {wanted}")
        return made.reshape(-1)[: (frames - 1) * hop]
