"""What a run shows in TensorBoard every few epochs: one swap, to look at and to listen to."""

import numpy as np

from tsdsae_keras.data.audio.inversion import sound_of
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.families.tsdsae.evaluation.labels import load_labels
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.resynthesis import LISTENED, can_sound, heard_part
from tsdsae_keras.files import replacing
from tsdsae_keras.report.figures import png_bytes, swap_figure


def show_swaps(data, settings=None):
    """A function of (model, writer, epoch) that shows two validation sequences, of two instruments where there are."""
    pair, front_end = two_sequences(data), FrontEnd.from_dict(data.front_end)

    def show(model, writer, epoch):
        panels = swap_panels(model, pair)
        writer.picture("swap", swap_png(panels, front_end, title=f"epoch {epoch + 1}"), epoch)
        for name, sequence in panels.items():
            if can_sound(len(sequence), front_end):
                writer.sound(name, sound_of(sequence, front_end), front_end.sample_rate, epoch)

    return show


def swap_png(panels, front_end, title=None):
    """The panels as a picture: PNG bytes."""
    return png_bytes(swap_figure(panels, front_end.hop_length / front_end.sample_rate, title=title))


def write_swap_picture(model, data, path):
    """A swap of two test sequences as a PNG file."""
    panels = swap_panels(model, two_sequences(data, "test"))
    with replacing(path) as temporary:
        temporary.write_bytes(swap_png(panels, FrontEnd.from_dict(data.front_end)))


def two_sequences(data, split="validation"):
    """A `Split` of two sequences, of long ones the beginning: one and the next of another instrument, or just the next.

    The first of the split is one of them, or where they differ in length one from the middle.
    """
    x, instrument = data.sequences(split, frames=LISTENED), load_labels(data, split).instrument
    first = 0 if x.lengths is None else len(x) // 2
    following = (first + 1 + np.arange(len(x))) % len(x)
    others = following if instrument is None else following[instrument[following] != instrument[first]]
    rows = [first, others[0] if len(others) else following[0]]
    return Split(x=x[rows], mask=None if x.mask is None else x.mask[rows])


def swap_panels(model, pair):
    """The sequences a and b of a `Split`, their reconstructions and both swaps, by title; each row of the figure keeps
    a melody, and is as long as it."""
    codes = model.encode(pair.x, pair.mask)
    own, swapped = (model.decode(codes["z_mean"], v, pair.mask) for v in (codes["v_mean"], codes["v_mean"][::-1]))
    panels = {
        "a": (pair.x, 0),
        "a reconstructed": (own, 0),
        "melody a, timbre b": (swapped, 0),
        "b": (pair.x, 1),
        "b reconstructed": (own, 1),
        "melody b, timbre a": (swapped, 1),
    }
    masks = [None, None] if pair.mask is None else pair.mask
    return {name: heard_part(made[place], masks[place]) for name, (made, place) in panels.items()}
