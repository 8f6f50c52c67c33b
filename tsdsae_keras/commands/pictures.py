"""What a run shows in TensorBoard every few epochs: one swap, to look at and to listen to."""

import numpy as np

from tsdsae_keras.data.features import FrontEnd
from tsdsae_keras.data.inversion import sound_of
from tsdsae_keras.files import replacing
from tsdsae_keras.report.figures import png_bytes, swap_figure


def show_swaps(data):
    """A function of (model, writer, epoch) that shows two validation sequences, of two instruments where there are."""
    x, front_end = two_sequences(data), FrontEnd.from_dict(data.front_end)

    def show(model, writer, epoch):
        panels = swap_panels(model, x)
        writer.picture("swap", swap_png(panels, front_end, title=f"epoch {epoch + 1}"), epoch)
        for name, sequence in panels.items():
            writer.sound(name, sound_of(sequence, front_end), front_end.sample_rate, epoch)

    return show


def swap_png(panels, front_end, title=None):
    """The panels as a picture: PNG bytes."""
    return png_bytes(swap_figure(panels, front_end.hop_length / front_end.sample_rate, title=title))


def write_swap_picture(model, data, path):
    """A swap of two test sequences as a PNG file."""
    panels = swap_panels(model, two_sequences(data, "test"))
    with replacing(path) as beside:
        beside.write_bytes(swap_png(panels, FrontEnd.from_dict(data.front_end)))


def two_sequences(data, split="validation"):
    """(2, time, features): the first sequence and the first of another instrument, or just the second."""
    x, instrument = data.features(split), data.labels(split).get("instrument")
    others = [1 % len(x)] if instrument is None else np.flatnonzero(instrument != instrument[0])
    return np.stack([x[0], x[others[0] if len(others) else 1 % len(x)]])


def swap_panels(model, x):
    """The sequences a and b, their reconstructions and both swaps, by title; each row of the figure keeps a melody."""
    reconstruction, swapped = model.reconstruct(x), model.swap(x, x[::-1])
    return {
        "a": x[0],
        "a reconstructed": reconstruction[0],
        "melody a, timbre b": swapped[0],
        "b": x[1],
        "b reconstructed": reconstruction[1],
        "melody b, timbre a": swapped[1],
    }
