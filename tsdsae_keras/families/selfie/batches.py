"""Batches of two views, every one a function of (seed, epoch, step) alone.

The memory of sounds to mix in is not kept but known: what was drawn in earlier steps follows from their numbers. A
resumed run therefore mixes exactly what an uninterrupted one does, with nothing saved.
"""

import functools
import logging

import numpy as np

from tsdsae_keras.data.prepared.generated import GeneratedStream
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.selfie.views import ViewSettings, make_view, normalise

log = logging.getLogger(__name__)

LONGEST = 15.0  # seconds up to which a longer clip is drawn more often
VALIDATION = 1 << 20  # in place of an epoch, in the seeds of validation


def batches(data, settings, split):
    """The stream of a split: {"first", "second"} (N, window, F), float32.

    Raises:
        InputError: the data lack the split, or have too few clips for diversity to mean anything.
    """
    if split not in data.counts:
        raise InputError(f"{data.folder} has no split {split!r}: prepare the data again")
    views = Views(data, settings, split)
    if split == "train":
        return GeneratedStream(views.make, settings.steps)
    return GeneratedStream(views.make, views.steps, fixed=True)


class Clips:
    """The clips of a split, left on disk, and windows of them.

    Args:
        data: `PreparedData`.
        split: its name.
    """

    def __init__(self, data, split):
        self._shards, lengths = data.shards(split), data.lengths(split)
        sizes = [len(shard) for shard in self._shards]
        self.shard = np.repeat(np.arange(len(sizes)), sizes)
        self.row = np.concatenate([np.arange(size) for size in sizes])
        whole = np.repeat([shard.shape[1] for shard in self._shards], sizes)
        self.lengths = whole if lengths is None else np.asarray(lengths)
        self.bands, self._fill = data.n_mels, silence_of(data.front_end)

    def __len__(self):
        return len(self.row)

    def read(self, clips, starts, window):
        """(n, window, F): one window of each clip; what a clip lacks at its end is silence."""
        x = np.full((len(clips), window, self.bands), self._fill, "float32")
        for place, (clip, start) in enumerate(zip(clips, starts, strict=True)):
            end = min(start + window, self.lengths[clip])
            x[place, : end - start] = self._shards[self.shard[clip]][self.row[clip], start:end]
        return x

    def each(self):
        """The valid frames of one clip after the other."""
        for shard, row, length in zip(self.shard, self.row, self.lengths, strict=True):
            yield self._shards[shard][row, :length]


def silence_of(front_end):
    """What digital silence becomes in every band."""
    return np.log(np.float32(front_end["log_offset"]))


@functools.lru_cache(maxsize=4)
def scale_of(data):
    """(mean, standard deviation) of all log-mel values of the training split."""
    count, total, squares = 0, 0.0, 0.0
    for frames in Clips(data, "train").each():
        frames = frames.astype("float64")
        count, total, squares = count + frames.size, total + frames.sum(), squares + np.square(frames).sum()
    mean = total / count
    return float(mean), float(np.sqrt(max(squares / count - mean**2, 1e-12)))


class Views:
    """Makes batches of views.

    Args:
        data: `PreparedData`.
        settings: `Settings` of the run.
        split: "train" or "validation".

    Raises:
        InputError: fewer than two clips, or all of them shorter than a window.
    """

    def __init__(self, data, settings, split):
        self.clips, self.settings = Clips(data, split), settings
        if len(self.clips) < 2:
            raise InputError(f"{data.folder} has {len(self.clips)} clip in {split}; give at least 2")
        self.training = split == "train"
        if self.training:
            self._check_window(settings.window, data.folder)
        # Validation never takes more clips than there are: the diversity of clips met twice is another one.
        self.n = settings.batch_size if self.training else min(settings.batch_size, len(self.clips))
        self.steps = settings.steps if self.training else len(self.clips) // self.n
        self.scale = scale_of(data)
        self.how = ViewSettings(settings.mixup, settings.smallest_crop, settings.largest_crop, settings.fader)
        longest = max(1, round(LONGEST * data.front_end["sample_rate"] / data.front_end["hop_length"]))
        weight = np.minimum(self.clips.lengths, longest)
        self._share = weight / weight.sum()
        self._drawn = {}  # {epoch: (clips, starts)}, of the last few epochs

    def _check_window(self, window, folder):
        """InputError where every clip would be padded by silence; a warning where most are."""
        short = self.clips.lengths < window
        if short.all():
            longest = self.clips.lengths.max()
            raise InputError(f"--window is {window} frames, and the longest clip of {folder} has {longest}; lower it")
        if short.mean() > 0.5:
            log.warning(f"warning: {short.mean():.0%} of the clips are shorter than --window, {window} frames")

    def make(self, epoch, step):
        """{"first", "second"}: (n, window, F), in standard units."""
        clips, starts = self._windows(epoch)
        rows = slice(step * self.n, (step + 1) * self.n)
        rng = np.random.default_rng(self._seed(epoch, step))
        views = []
        for view in (0, 1):
            x = self._read(clips[rows], starts[rows, view * self.settings.two_crops])
            views.append(make_view(x, self._recall(epoch, step, rng), self.scale, self.how, rng))
        first, second = normalise(*views)
        return {"first": first, "second": second}

    def _read(self, clips, starts):
        return self.clips.read(clips, starts, self.settings.window)

    def _seed(self, epoch, *more):
        return (self.settings.seed, epoch if self.training else VALIDATION, *more)

    def _windows(self, epoch):
        """The clips (steps * n,) of an epoch in their order, and where two windows of each start, (steps * n, 2)."""
        if epoch not in self._drawn:
            count, rng = self.steps * self.n, np.random.default_rng(self._seed(epoch))
            clips = rng.choice(len(self._share), count, p=self._share) if self.training else np.arange(count)
            room = np.maximum(self.clips.lengths[clips] - self.settings.window, 0)
            starts = np.floor(rng.uniform(size=(count, 2)) * (room[:, None] + 1)).astype(int)
            self._drawn[epoch] = clips, starts
            reach = 2 + self.settings.memory // count
            self._drawn = {known: drawn for known, drawn in self._drawn.items() if epoch - reach <= known}
        return self._drawn[epoch]

    def _recall(self, epoch, step, rng):
        """Unmixed windows of earlier steps, one for each clip, or None at the very first."""
        epoch = epoch if self.training else 0
        size = self.steps * self.n
        now = epoch * size + step * self.n
        if not now:
            return None
        places = rng.integers(max(0, now - self.settings.memory), now, self.n)
        drawn = [[each[place % size] for each in self._windows(place // size)] for place in places]
        return self._read([clip for clip, _ in drawn], [starts[0] for _, starts in drawn])
