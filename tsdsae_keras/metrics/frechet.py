"""Fréchet audio distance: how far a set of sounds lies from a set of real ones, in the space of an embedding.

An embedding turns sounds into vectors, one for every patch of 0.96 s; either set is then summed up by mean and
covariance. A distance says nothing without the name of its embedding and the numbers of vectors, so all results
here carry both. Embeddings: `logmel` (`logmel_patches`, below) and `vggish` (the room interop).

Source: Kilgour, Zuluaga, Roblek, Sharifi, "Fréchet Audio Distance", Interspeech 2019, arXiv 1812.08466.
"""

import numpy as np

from tsdsae_keras.errors import InputError

PATCH = 0.96  # seconds, as VGGish cuts sound
DEPTH = 8 * np.log(10)  # nats: 80 dB below a clip's peak, where digital silence would outweigh everything audible


def frechet_distance(real, other, *, embedding, allow_few=False):
    """|m_a - m_b|^2 + Tr(S_a + S_b - 2 (S_a^1/2 S_b S_a^1/2)^1/2) of two sets of vectors, S without bias.

    From 0 (equal means and covariances) upwards, lower is better, in squared units of the embedding; symmetric.
    What rounding takes below 0 is set to 0.

    It sees means and covariances only: two sets of quite another shape with the same ones are at 0, and so is a
    generator that plays the real set back. One outlier weighs much. The fewer the vectors, the larger it is on
    average, even between two samples of one distribution (1,200 vectors each of white noise of dimension 160: 10.8,
    7 % of the variance): compare values at equal numbers only, next to `half_split_distance`. Patches of one
    clip are much alike, so n patches tell less than n clips would.

    Args:
        real, other: (n, d) vectors, one a patch; n may differ.
        embedding: its name, for the reader.
        allow_few: take fewer than d + 1 vectors, whose covariance leaves directions out; two are the least.

    Returns:
        {"value", "embedding", "n": [of real, of other], "dimension": d}, ready for JSON.

    Raises:
        InputError: arrays that are not (n, d) with one d, not finite, or too few vectors.
    """
    real, other = _check("real", real, allow_few), _check("other", other, allow_few)
    if real.shape[1] != other.shape[1]:
        raise InputError(f"real has dimension {real.shape[1]} and other {other.shape[1]}; one embedding makes both")
    return {
        "value": _distance(real, other),
        "embedding": str(embedding),
        "n": [len(real), len(other)],
        "dimension": real.shape[1],
    }


def half_split_distance(real, *, embedding, groups=None, repeats=10, seed=0, allow_few=False):
    """The distance between two random halves of the real set, the mean over `repeats` cuts: what sampling alone makes.

    A distance to generated sounds about this low cannot be distinguished from zero. Half sets show about twice the
    sampling noise of two sets of the full size, so this is too high by that much, and a set that is close to the real
    one may lie below it: it is a yardstick, not the least value possible, which is 0. It cannot see whether the real
    set is representative of anything beyond itself.

    Args:
        real: (n, d) vectors.
        embedding: its name.
        groups: (n,) the clip, or whatever belongs together, of each vector; a group goes to one half whole. Without
            it patches of one clip land in both halves and the distance comes out too low.
        repeats: cuts.
        seed: fixes them.
        allow_few: as in `frechet_distance`, of each half.

    Returns:
        As `frechet_distance`, with `n` of the halves of the last cut, and "repeats".

    Raises:
        InputError: as `frechet_distance`; fewer than two groups, or no cut asked for.
    """
    member = _members(real, groups)
    if repeats < 1:
        raise InputError(f"repeats is {repeats}; it should be 1 or more")
    rng, values = np.random.default_rng(seed), []
    for _ in range(repeats):
        order = rng.permutation(member.max() + 1)
        first = np.isin(member, order[: len(order) // 2])
        distance = frechet_distance(real[first], real[~first], embedding=embedding, allow_few=allow_few)
        values.append(distance["value"])
    return distance | {"value": float(np.mean(values)), "repeats": int(repeats)}


def logmel_patches(x, seconds_per_frame, mask=None):
    """The `logmel` embedding: mean and standard deviation over time of each band, a patch of 0.96 s at a time.

    Patches do not overlap; frames left over at a clip's end are dropped; a clip shorter than a patch is one. Values
    are cut off 80 dB (18.4 nats) below the clip's peak: digital silence lies at -36 nats, and without that limit a few
    such frames would outweigh all that sounds.

    It sees spectrum, level and how much both change within a second; neither the order of frames, so a reversed patch
    is the same, nor phase. It is not a model of hearing: an inaudible band counts as much as any.

    Args:
        x: (clips, time, features) log-mel power in nats.
        seconds_per_frame: hop of the frames, in seconds (hop_length / sample_rate).
        mask: (clips, time), true where a frame is valid; None when all are.

    Returns:
        (patches, 2 * features) vectors, means first, and (patches,) the index of each one's clip, the `groups` of
        `half_split_distance`.

    Raises:
        InputError: x, its mask or its hop cannot be used, or a clip has no valid frame.
    """
    x = np.asarray(x)
    valid = np.ones(x.shape[:2], bool) if mask is None else np.asarray(mask, bool)
    frames = _patch_frames(x, valid, seconds_per_frame)
    parts = [_patches_of_clip(clip[keep], frames) for clip, keep in zip(x, valid, strict=True)]
    owner = np.repeat(np.arange(len(x)), [len(part) for part in parts])
    return np.concatenate(parts), owner


def _patches_of_clip(clip, frames):
    clip = np.maximum(clip, clip.max() - DEPTH, dtype="float64")
    frames = min(frames, len(clip))
    count = len(clip) // frames
    patches = clip[: count * frames].reshape(count, frames, -1)
    return np.concatenate([patches.mean(axis=1), patches.std(axis=1)], axis=1)


def _patch_frames(x, valid, seconds_per_frame):
    """Frames in a patch, once all is sure to be usable."""
    if x.ndim != 3 or not x.size:
        raise InputError(f"x has shape {x.shape}; it should be (clips, time, features), none of them 0")
    if valid.shape != x.shape[:2]:
        raise InputError(f"mask has shape {valid.shape}; it should be {x.shape[:2]}, to go with x")
    if not valid.any(axis=1).all():
        raise InputError(f"clip {int(valid.any(axis=1).argmin())} has no valid frame; leave it out")
    frames = round(PATCH / seconds_per_frame) if seconds_per_frame > 0 else 0
    if frames < 2:
        raise InputError(f"seconds_per_frame is {seconds_per_frame}; it should be above 0 and at most {PATCH / 2}")
    return frames


def _members(real, groups):
    groups = np.arange(len(real)) if groups is None else np.asarray(groups)
    if groups.shape != np.shape(real)[:1]:
        raise InputError(f"groups has shape {groups.shape}; it should be {np.shape(real)[:1]}, one a vector")
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"the real set has {len(names)} group; two halves need two or more")
    return member


def _check(name, vectors, allow_few):
    vectors = np.asarray(vectors, dtype="float64")
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise InputError(f"{name} has shape {vectors.shape}; it should be (n, dimension)")
    if not np.isfinite(vectors).all():
        raise InputError(f"{name} holds nan or infinity; leave such sounds out before measuring a distance")
    least = 2 if allow_few else vectors.shape[1] + 1
    if len(vectors) < least:
        remedy = "" if allow_few else ", or say allow_few=True and do not compare the value with others"
        raise InputError(
            f"{name} has {len(vectors)} vectors of dimension {vectors.shape[1]}; give {least} or more{remedy}"
        )
    return vectors


def _distance(a, b):
    gap = a.mean(axis=0) - b.mean(axis=0)
    s_a, s_b = (np.atleast_2d(np.cov(vectors, rowvar=False)) for vectors in (a, b))
    spread = np.trace(s_a) + np.trace(s_b) - 2 * _trace_of_root(s_a, s_b)
    return float(max(gap @ gap + spread, 0.0))


def _trace_of_root(s_a, s_b):
    """Tr (S_a^1/2 S_b S_a^1/2)^1/2, the root written in the eigenvectors of S_a."""
    values, vectors = np.linalg.eigh(s_a)
    half = vectors * np.sqrt(values.clip(0))
    return np.sqrt(np.linalg.eigvalsh(half.T @ s_b @ half).clip(0)).sum()
