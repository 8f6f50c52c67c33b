"""Whether swaps can be learned from prepared data at all, and why not; no label is looked at."""

import numpy as np

from tsdsae_keras.metrics.counterfactual import limit_range

LEAST_SECONDS = 120  # of training sound
LEAST_SPREAD = 1.2  # dB; one instrument has 0.7, oboe and flute 2.1, violin and trumpet 3.6 (FluidR3, one octave)
COMPARED, FRAMES = 128, 1024  # sequences, and frames of each, at most


def why_not_to_swap(data):
    """One line that says why swaps can hardly be learned from prepared data, or None."""
    lengths, count = data.lengths("train"), data.counts["train"]
    frames = count * data.frames if lengths is None else int(lengths.sum())
    seconds = frames * data.front_end.get("hop_length", 0) / data.front_end.get("sample_rate", 1)
    if 0 < seconds < LEAST_SECONDS:
        return f"{seconds:.0f} s of training sound is too little for good swaps; prepare {LEAST_SECONDS} s or more"
    spread = spread_of_timbre(data)
    if spread < LEAST_SPREAD:
        return (
            f"the training sequences sound too alike to swap: their mean spectra differ by {spread:.1f} dB (two "
            "instruments: 2 dB and more), so they may be of one timbre; add recordings of another"
        )
    return None


def spread_of_timbre(data):
    """How far the mean spectra of training sequences lie from one another, level apart: root of the variance, dB."""
    x = data.sequences("train", frames=FRAMES)
    rows = np.unique(np.linspace(0, len(x) - 1, min(len(x), COMPARED)).round().astype(int))
    mask = x.mask[rows] if x.mask is not None else np.ones((len(rows), x.shape[1]), bool)
    spectra = np.stack([mean_spectrum(frames[valid]) for frames, valid in zip(x[rows], mask, strict=True)])
    return float(10 / np.log(10) * np.sqrt(spectra.var(axis=0).mean()))


def mean_spectrum(frames):
    """The mean over time of log-mel frames (T, n_mels), heard down to 60 dB below the peak, without its level."""
    mean = limit_range(frames[None])[0].mean(axis=0)
    return mean - mean.mean()
