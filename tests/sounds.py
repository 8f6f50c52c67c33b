"""Sound files in tests."""

import numpy as np

from tsdsae_keras.data.audio.sound_files import audio_blocks


def read_audio(path, sample_rate, **options):
    """A whole file as mono samples (n,) at a rate."""
    return np.concatenate(list(audio_blocks(path, sample_rate, **options)))
