"""The counterfactual test of a model: its swaps compared with the same melodies really played by the other instrument.

Every melody is given the timbre of a partner of another instrument, decode(z of the melody, v of the partner), latents
at their means, and compared with the truth by `metrics.counterfactual`. For data that a synthesiser rendered the truth
is rendered (`data.sets.true_swaps`); for recordings sound files hold it (`truth_files`).
"""

from dataclasses import dataclass, replace

import numpy as np

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.sets.true_swaps import PAIRS, choose_swaps, render_true_swaps
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.context import make_subject
from tsdsae_keras.families.tsdsae.evaluation.labels import instrument_name
from tsdsae_keras.families.tsdsae.evaluation.posteriors import decode_batch, encode_batch
from tsdsae_keras.families.tsdsae.evaluation.resynthesis import VOCODER, Resynthesizer, can_sound, heard_part
from tsdsae_keras.metrics.batching import batch_size_for, batch_slices, take_rows
from tsdsae_keras.metrics.counterfactual import VERSIONS, limit_range, score_counterfactual

VOCODED = 16  # pairs that go through the vocoder, which takes a second each
HOW = "give true swaps as sound files: tsdsae-keras evaluate MODEL --truth FILE.csv (columns melody,timbre,truth)"


@dataclass(frozen=True)
class TrueSwaps:
    """Melodies, the sounds that lend their timbre, and what their swaps should be: log-mel frames, padded.

    Attributes:
        original, truth: (n, time, bands).
        timbre: (n, time of its own, bands), what v is taken from.
        pairs: [(from, to)], names of the n instruments or of where the files lie.
        groups: (n,) what belongs together, the melodies.
        mask, timbre_mask: true where a frame is valid; None when all are.
        source: where the truth is from.
    """

    original: np.ndarray
    truth: np.ndarray
    timbre: np.ndarray
    pairs: list
    groups: np.ndarray
    mask: np.ndarray | None = None
    timbre_mask: np.ndarray | None = None
    source: str = "rendered"

    def take(self, rows):
        """Those of some rows."""
        arrays = ("original", "truth", "timbre", "groups", "mask", "timbre_mask")
        taken = {name: take_rows(getattr(self, name), rows) for name in arrays}
        return replace(self, pairs=[self.pairs[row] for row in rows], **taken)


def counterfactual(model, data, *, pairs=PAIRS, vocoded=0, seed=0, swaps=None):
    """The counterfactual test of a model on prepared data.

    Args:
        model: as for `subject.TestSubject`.
        data: `PreparedData`, rendered from notes unless `swaps` are given.
        pairs: swaps, balanced over ordered pairs of instruments, see `data.sets.true_swaps.choose_swaps`.
        vocoded: of these also through the vocoder.
        seed: of the intervals. The swaps do not depend on it, so that models can be compared.
        swaps: `TrueSwaps` from files, instead of rendered ones.

    Returns:
        The dict of `metrics.counterfactual.score_counterfactual`, "n" and "source"; with `vocoded` also "vocoder",
        see `score_vocoded`.

    Raises:
        InputError: model and data do not go together, or no true swap is known.
    """
    swaps = swaps or find_true_swaps(make_subject(model, data, seed).test, data, pairs)
    scores, why_not_vocoded = _score(model, data, swaps, vocoded, seed)
    if why_not_vocoded:
        raise why_not_vocoded
    return scores


def attempt_counterfactual(model, test, data, *, vocoded=0, seed=0, swaps=None):
    """{"counterfactual": scores, "left_out": {score: reason}}; `test` is the `Split` of the data, the rest as above."""
    try:
        swaps = swaps or find_true_swaps(test, data)
    except InputError as error:
        return {"left_out": {"counterfactual": f"no true swap is known: {error}. To measure swaps, {HOW}"}}
    scores, why_not_vocoded = _score(model, data, swaps, vocoded, seed)
    left_out = {"counterfactual after the vocoder": str(why_not_vocoded)} if why_not_vocoded else {}
    return {"counterfactual": scores, "left_out": left_out}


def _score(model, data, swaps, vocoded, seed):
    """The dict of `counterfactual`, and the InputError for which "vocoder" is missing from it, or None."""
    made = make_swaps(model, swaps)
    scores = score_swaps(made, swaps, seed)
    if not vocoded:
        return scores, None
    try:
        heard = score_vocoded(made, swaps, FrontEnd.from_dict(data.front_end), vocoded, seed)
    except InputError as error:
        return scores, error
    return scores | {"vocoder": heard}, None


def find_true_swaps(test, data, pairs=PAIRS):
    """The `TrueSwaps` of rendered data: sequences of the test split, and what they should become."""
    if test.instrument is None:
        raise InputError(f"{data.folder} has no instrument labels")
    melody, partner = choose_swaps(test.instrument, pairs)
    truth = render_true_swaps(data, "test", melody, test.instrument[partner])
    names = {label: instrument_name(data, label) for label in np.unique(test.instrument).tolist()}
    directions = zip(test.instrument[melody].tolist(), test.instrument[partner].tolist(), strict=True)
    return TrueSwaps(
        test.x[melody],
        truth[:, : test.x.shape[1]],
        test.x[partner],
        [(names[own], names[other]) for own, other in directions],
        groups=melody,
        mask=take_rows(test.mask, melody),
        timbre_mask=take_rows(test.mask, partner),
    )


def score_swaps(made, swaps, seed=0):
    """The scores of what `make_swaps` made of `TrueSwaps`, as in `counterfactual`."""
    options = {"pairs": swaps.pairs, "groups": swaps.groups, "seed": seed}
    scores = score_counterfactual(made, swaps.truth, swaps.mask, **options)
    return scores | {"n": len(swaps.truth), "source": swaps.source}


def make_swaps(model, swaps):
    """{"original", "swap", "reconstruction" (of the truth): (n, time, bands)}, latents at their means."""
    parts = []
    for rows in batch_slices(swaps.truth, batch_size_for(max(swaps.truth.shape[1], swaps.timbre.shape[1]))):
        mask = take_rows(swaps.mask, rows)
        _, z = encode_batch(model, swaps.original[rows], mask)
        v, _ = encode_batch(model, swaps.timbre[rows], take_rows(swaps.timbre_mask, rows))
        true_v, true_z = encode_batch(model, swaps.truth[rows], mask)
        parts.append((decode_batch(model.decode, z, v, mask), decode_batch(model.decode, true_z, true_v, mask)))
    swap, reconstruction = (np.concatenate(each) for each in zip(*parts, strict=True))
    return {"swap": swap, "original": swaps.original, "reconstruction": reconstruction}


def score_vocoded(made, swaps, front_end, most=VOCODED, seed=0):
    """The scores of what is heard of swaps: swap and reconstruction through the vocoder, then the front end again.

    Original and truth stay real sound. "vocoded_truth_to_truth" is the distance of the truth through the vocoder, what
    the vocoder alone costs.

    Args:
        made: of `make_swaps`.
        swaps: the `TrueSwaps`.
        front_end: their `FrontEnd`.
        most: pairs, evenly from all directions; of these the ones long enough to sound.
        seed: of the intervals.

    Returns:
        The dict of `score_counterfactual`; the same with a range of 60 dB below each sound's peak, as a plain log-mel
        hears it, as "heard"; "n", and the vocoder's name.

    Raises:
        InputError: not one pair is long enough.
    """
    rows = _spread(swaps, most, front_end)
    part = swaps.take(rows)
    sound = {"swap": made["swap"][rows], "reconstruction": made["reconstruction"][rows], "vocoded_truth": part.truth}
    sequences = [x for each in sound.values() for x in _cut(each, part.mask)]
    again = iter([front_end.log_mel(samples) for samples, *_ in _resynthesize(sequences, front_end)])
    heard = {name: pad_sequences([next(again) for _ in rows])[0] for name in sound}
    real = {name: pad_sequences(_cut(getattr(part, name), part.mask)) for name in ("original", "truth")}
    truth, mask = real["truth"]
    versions = {name: (heard | {"original": real["original"][0]})[name] for name in (*VERSIONS, "vocoded_truth")}
    options = {"pairs": part.pairs, "groups": part.groups, "seed": seed}
    limited = {name: limit_range(x, mask) for name, x in versions.items()}
    return score_counterfactual(versions, truth, mask, **options) | {
        "heard": score_counterfactual(limited, limit_range(truth, mask), mask, **options),
        "n": len(rows),
        "vocoder": VOCODER,
    }


def _spread(swaps, most, front_end):
    """Up to `most` rows that can sound, taken from all directions in turn."""
    frames = np.full(len(swaps.truth), swaps.truth.shape[1]) if swaps.mask is None else swaps.mask.sum(axis=1)
    seen, turn = {}, []
    for row in np.flatnonzero(can_sound(frames, front_end)).tolist():
        seen[swaps.pairs[row]] = seen.get(swaps.pairs[row], -1) + 1
        turn.append((seen[swaps.pairs[row]], row))
    if not turn:
        raise InputError("no true swap is long enough to be made to sound")
    return np.sort([row for _, row in sorted(turn)[:most]])


def _resynthesize(sequences, front_end):
    return Resynthesizer(front_end).resynthesize(sequences, len(sequences))


def _cut(x, mask):
    """The part of each sequence that sounds, a list."""
    return [heard_part(each, take_rows(mask, row)) for row, each in enumerate(x)]


def pad_sequences(sequences):
    """(n, time, bands) and its mask, None where all are equally long; padding repeats each sequence's last frame."""
    longest = max(map(len, sequences))
    x = np.stack([np.pad(each, ((0, longest - len(each)), (0, 0)), mode="edge") for each in sequences])
    mask = np.arange(longest) < np.array([len(each) for each in sequences])[:, None]
    return x, None if mask.all() else mask
