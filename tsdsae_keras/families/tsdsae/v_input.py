"""What v is inferred from in training; none of it is in the paper.

Where few melodies are heard, what tells most of a sequence is its melody, and v learns it by heart. It cannot where it
is inferred from another sequence of the same recording, or from the sequence transposed by an interval that nobody
knows: what these have in common with the sequence to be decoded is its timbre.
"""

from functools import partial

from keras import ops, random

BREAK = 700.0  # Hz, of the mel scale (HTK): mel(f) is proportional to log(1 + f / BREAK)


def v_input(model, frames, x, mask, sample):
    """Frames and their mask that q(v | .) is given: those of x, and in training what `v_source` and `v_transpose` say.

    With `v_source` "recording" the rows 2 i and 2 i + 1 are exchanged: `data.prepared.couples` puts two sequences of
    one recording there.

    Args:
        model: with `standardized`, `v_source` and `v_transpose`.
        frames: (batch, time, features), as the front end gives them.
        x: the same, standardised.
        mask: (batch, time) or None.
        sample: whether it is trained.
    """
    moved = transposed(model, frames, sample)
    heard = x if moved is frames else model.standardized(moved, mask)
    if not (sample and model.v_source == "recording"):
        return heard, mask
    return _exchange(heard), None if mask is None else _exchange(mask)


def _exchange(x):
    couples = ops.reshape(x, (-1, 2, *x.shape[1:]))
    return ops.reshape(ops.flip(couples, axis=1), (-1, *x.shape[1:]))


def transposed(model, x, sample):
    """Log-mel frames x (batch, time, bands), each sequence moved by a draw from U(-v_transpose, v_transpose) semitones.

    Args:
        model: with `v_transpose` and, if it is above 0, the `front_end` of x.
        x: as the front end gives it.
        sample: whether intervals are drawn; otherwise x is left as it is, unless "transpose" is given.
    """
    if not (model.v_transpose and (sample or model.is_given("transpose"))):
        return x
    draw = partial(random.uniform, minval=-1.0, maxval=1.0)
    semitones = model.v_transpose * model.draw_rows("transpose", (ops.shape(x)[0], 1, 1), draw)
    return ops.matmul(x, transposition(semitones, x.shape[-1], model.front_end))


def transposition(semitones, bands, front_end):
    """What takes log-mel frames to those of a sound that many semitones higher: (n, 1, 1) -> (n, bands, bands).

    A band is given what lies at its frequency times 2^(-semitones / 12), interpolated between the two bands next to it;
    beyond the first and the last band theirs.
    """
    low, high = (ops.log1p(front_end[name] / BREAK) for name in ("fmin", "fmax"))
    step = (high - low) / (bands + 1)
    numbers = ops.arange(bands, dtype="float32")
    centres = ops.expm1(low + step * (numbers + 1.0))
    sources = ops.log1p(centres * ops.power(2.0, semitones / -12.0))
    places = ops.clip((sources - low) / step - 1.0, 0.0, bands - 1.0)
    return ops.relu(1.0 - ops.abs(places - numbers[:, None]))
