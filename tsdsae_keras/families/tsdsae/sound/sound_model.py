"""A loaded model that hears sound files and makes new ones: what the commands on sound share."""

import logging
from pathlib import Path

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.audio.inversion import sound_of
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.sound_files import write_audio
from tsdsae_keras.data.audio.vocoders import KerasVocoder
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.sound.codec import Coder, Recording, sound_blocks
from tsdsae_keras.progress import Progress
from tsdsae_keras.training.model_files import model_file

log = logging.getLogger(__name__)


class SoundModel:
    """A loaded model with what it takes to hear and to sound. The files it writes are logged.

    Args:
        model: a run folder, a `.keras` file, or the name of a trained model of the library.
        vocoder: a `data.vocoders.Vocoder`, the path of a Keras one, or None for the phases of Griffin and Lim.
        seed: of phases and draws.
        paper_front_end: whether a model that names no front end takes the published one.

    Raises:
        InputError: no such model, no front end known, a vocoder that cannot be used, or a negative seed.
    """

    def __init__(self, model, vocoder=None, seed=0, paper_front_end=False):
        if not 0 <= seed < 2**31:
            raise InputError(f"--seed is {seed}; it must be from 0 to {2**31 - 1}")
        path = model_file(model)
        self.model, self.seed = load_model(path), seed
        self.front_end = front_end_of(self.model, path, paper_front_end)
        self.coder = Coder(self.model)
        self.vocoder = KerasVocoder(vocoder) if isinstance(vocoder, (str, Path)) else vocoder or sound_of

    def recording(self, path):
        """A file as this model hears it."""
        return Recording(path, self.front_end)

    def write(self, path, windows, plan, samples, progress=None, front_end=None):
        """Makes the sound of log-mel windows and writes it; `front_end` is that of the recording they come from."""
        progress = progress or Progress(plan.frames, "frames")
        blocks = sound_blocks(windows, plan, front_end or self.front_end, samples, self.vocoder, self.seed, progress)
        factor = write_audio(path, blocks, self.front_end.sample_rate)
        scaled = f"; scaled by {factor:.2g}, since it was beyond full scale" if factor < 1 else ""
        rate = self.front_end.sample_rate
        log.info(f"written: {path} ({samples / rate:.2f} s, {rate} Hz{scaled})")


def front_end_of(model, path, paper_front_end=False):
    """The `FrontEnd` a model was trained on; InputError where nobody knows."""
    if model.front_end is None and not paper_front_end:
        raise InputError(
            f"{path} does not say which log-mel frames it takes; if they are the paper's (16 kHz, 80 bands), as with "
            "imported checkpoints, give --paper-front-end"
        )
    front_end = FrontEnd() if model.front_end is None else FrontEnd.from_dict(dict(model.front_end))
    if front_end.n_mels != model.features:
        raise InputError(f"{path} takes {model.features} values a frame, the front end gives {front_end.n_mels} bands")
    return front_end
