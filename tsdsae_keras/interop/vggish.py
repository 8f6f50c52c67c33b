"""VGGish as an embedding of sound, from a file of its published weights that the user has.

Two files hold them: the checkpoint of the authors' TF-slim code (`vggish_model.ckpt`: one file, TensorFlow's first
format; the second format, a prefix with `.index` and `.data-...`, is read too), by TensorFlow's own reader, and the
one of torchvggish (`vggish-10086976.pth`), read without PyTorch. Nothing in either is executed.

Source: Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017; layers, names and front
end are those of github tensorflow/models, research/audioset/vggish, and github harritaylor/torchvggish.
"""

import math
import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.interop.torch_files import read_checkpoint
from tsdsae_keras.untrusted import one_line

SAMPLE_RATE = 16000
WINDOW, HOP, FFT = 400, 160, 512  # samples: 25 ms, 10 ms
BANDS, LOWEST, HIGHEST = 64, 125.0, 7500.0  # mel bands, Hz
FRAMES = 96  # of a patch, 0.96 s
LEAST = WINDOW + (FRAMES - 1) * HOP  # samples that make one patch, 0.975 s
OFFSET = 0.01

# {TF-slim name: torchvggish name}
CONVOLUTIONS = {
    "conv1": "features.0",
    "conv2": "features.3",
    "conv3/conv3_1": "features.6",
    "conv3/conv3_2": "features.8",
    "conv4/conv4_1": "features.11",
    "conv4/conv4_2": "features.13",
}
POOLED = ("conv1", "conv2", "conv3/conv3_2", "conv4/conv4_2")
DENSE = {"fc1/fc1_1": "embeddings.0", "fc1/fc1_2": "embeddings.2", "fc2": "embeddings.4"}
LAYERS = CONVOLUTIONS | DENSE
SLIM = {name: (f"vggish/{name}/weights", f"vggish/{name}/biases") for name in LAYERS}
MOST_NUMBERS = 100_000_000  # read of a checkpoint; the published weights are 72 million
TABLE_END = bytes.fromhex("57fb808b247547db")  # the last bytes of TensorFlow's table files
REMEDY = "give vggish_model.ckpt (TF-slim) or vggish-10086976.pth (torchvggish), whole"


class VggishEmbedding:
    """Sound to VGGish embeddings: `embed(samples, sample_rate)`, one vector for each patch of 0.96 s.

    As Fréchet audio distance takes them: no PCA, no quantisation, and the last layer linear, without the ReLU that
    torchvggish ends with. Patches do not overlap, what is left over at a clip's end is dropped, and a clip shorter
    than 15,600 samples at 16 kHz (0.975 s) is filled up with silence to make one patch.

    Trained to tell the sounds of videos apart, it hears what kind of sound it is. It is nearly blind to fine pitch,
    to everything above 7.5 kHz and to order beyond 0.96 s. It hears level: give both sets at one scale. Resampling
    changes it a little, so start from one sample rate in both sets.

    Args:
        path: of the weights; their shapes say how wide the layers are.

    Attributes:
        name: "vggish".
        dimension: of an embedding; 128 in the published weights.

    Raises:
        InputError: the file is missing, damaged, or lacks a layer (all that is missing is listed).
    """

    name = "vggish"

    def __init__(self, path):
        self.model = vggish_model(read_vggish(path))
        self.dimension = int(self.model.output_shape[-1])

    def __call__(self, samples, sample_rate):
        """The embeddings of mono sound.

        Args:
            samples: (n,) one clip or (clips, n) several, floating point, full scale 1; resampled to 16 kHz (soxr,
                high quality) where `sample_rate` is another.
            sample_rate: Hz.

        Returns:
            (patches, dimension) float32, clip after clip, each with the same number of patches.

        Raises:
            InputError: samples of another shape or type, none, or not finite.
        """
        clips = np.atleast_2d(_validate_samples(samples))
        if sample_rate != SAMPLE_RATE:
            clips = _resample(clips, sample_rate)
        patches = np.concatenate([vggish_patches(clip) for clip in clips])
        parts = [self.model(patches[start : start + 32, ..., None]) for start in range(0, len(patches), 32)]
        return np.concatenate([ops.convert_to_numpy(part) for part in parts])


def vggish_patches(samples):
    """The input of VGGish: log(m + 0.01), m the 64 HTK mel bands from 125 to 7500 Hz of the magnitude spectrum.

    Frames of 25 ms every 10 ms, not centred, periodic Hann window, 512-point transform. The triangles of the bands
    are straight over mel, as in the authors' code and unlike librosa's, which are straight over Hz.

    Args:
        samples: (n,) mono at 16 kHz.

    Returns:
        (patches, 96, 64) float32, natural logarithms.
    """
    padded = np.pad(np.asarray(samples, "float64"), (0, max(0, LEAST - len(samples))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    windows = windows[: len(windows) // FRAMES * FRAMES]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    mel = np.abs(np.fft.rfft(windows * hann, FFT)) @ _bands()
    return np.log(mel + OFFSET).reshape(-1, FRAMES, BANDS).astype("float32")


@lru_cache(maxsize=1)
def _bands():
    """The filter bank (257, 64)."""
    mel = 1127.0 * np.log1p(np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT / 700.0)
    lowest, highest = 1127.0 * np.log1p(np.array([LOWEST, HIGHEST]) / 700.0)
    edges = np.linspace(lowest, highest, BANDS + 2)
    rise = (mel[:, None] - edges[:-1]) / np.diff(edges)
    return np.minimum(rise[:, :-1], 1 - rise[:, 1:]).clip(0)


def vggish_model(weights):
    """The network: (patches, 96, 64, 1) to (patches, dimension), on any backend, not to be trained.

    Args:
        weights: {TF-slim name of a layer: (kernel, bias)} as `read_vggish` gives them.
    """
    parts = [keras.Input((FRAMES, BANDS, 1))]
    for name, (kernel, _) in weights.items():
        options = {"activation": None if name == "fc2" else "relu", "name": name.rpartition("/")[2], "dtype": "float32"}
        if name in CONVOLUTIONS:
            parts.append(layers.Conv2D(kernel.shape[-1], 3, padding="same", data_format="channels_last", **options))
        else:
            parts += [layers.Flatten(data_format="channels_last")] if name == "fc1/fc1_1" else []
            parts.append(layers.Dense(kernel.shape[-1], **options))
        parts += [layers.MaxPooling2D(2, data_format="channels_last")] if name in POOLED else []
    model = keras.Sequential(parts, name="vggish")
    model.trainable = False
    model.set_weights([array for pair in weights.values() for array in pair])
    return model


def read_vggish(path):
    """The weights in a file of either kind: {TF-slim name of a layer: (kernel, bias)}, in order, laid out as Keras has
    them. Whatever else the file holds, such as a PCA, is left.

    Raises:
        InputError: the file is missing, of another kind or damaged; layers are missing (all are listed), of a shape
            that makes no VGGish, or not finite.
    """
    path = Path(path)
    prefix = path.with_suffix("") if path.suffix == ".index" else path
    if Path(f"{prefix}.index").is_file():
        weights = _pick(_read_slim(prefix), SLIM, path)
    elif path.is_file() and _last_bytes(path, len(TABLE_END)) == TABLE_END:
        weights = _pick(_read_slim(path), SLIM, path)
    else:
        weights = _from_torch(read_checkpoint(path, REMEDY).state, path)
    _check_shapes(weights, path)
    return {name: tuple(array.astype("float32") for array in pair) for name, pair in weights.items()}


def _last_bytes(path, count):
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - count))
        return file.read()


def _read_slim(path):
    """{name: array} of the variables in `SLIM`; for the second format the path is the prefix of its files."""
    import tensorflow

    if re.search(r"[*?\[\]\\]", path.as_posix()):  # TensorFlow takes the path of a checkpoint for a pattern
        raise InputError(f"{path} has one of * ? [ ] \\ in its path, where TensorFlow finds no checkpoint; move it")
    wanted = {name for pair in SLIM.values() for name in pair}
    try:
        reader = tensorflow.train.load_checkpoint(path.as_posix())
        shapes = {name: shape for name, shape in reader.get_variable_to_shape_map().items() if name in wanted}
        if sum(map(math.prod, shapes.values())) > MOST_NUMBERS:  # a few bytes can state a shape that fills all memory
            raise ValueError(f"its layers have more than {MOST_NUMBERS} numbers")
        return {name: reader.get_tensor(name) for name in shapes}
    except Exception as error:  # TensorFlow's own kinds of error, which differ by what is damaged
        raise InputError(f"{path} is a damaged TensorFlow checkpoint ({one_line(error)}); {REMEDY}") from error


def _from_torch(arrays, path):
    """Kernels are (out, in, ...) there. The flattening before the first dense layer is TF-slim's in both."""
    names = {name: (f"{other}.weight", f"{other}.bias") for name, other in LAYERS.items()}
    picked = _pick(arrays, names, path)
    return {
        name: (kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel.T, bias)
        for name, (kernel, bias) in picked.items()
    }


def _pick(arrays, names, path):
    missing = [name for pair in names.values() for name in pair if name not in arrays]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}; {REMEDY}")
    return {layer: tuple(np.asarray(arrays[name]) for name in pair) for layer, pair in names.items()}


def _check_shapes(weights, path):
    """InputError unless every layer takes what the one before it gives."""
    widths = [1, *(bias.size for _, bias in weights.values())]
    for (name, (kernel, bias)), (inputs, outputs) in zip(weights.items(), pairwise(widths), strict=True):
        halvings = 2 ** len(POOLED)
        inputs *= FRAMES * BANDS // halvings**2 if name == "fc1/fc1_1" else 1
        expected = (3, 3, inputs, outputs) if name in CONVOLUTIONS else (inputs, outputs)
        if not outputs or kernel.shape != expected or bias.ndim != 1:
            raise InputError(
                f"{path}: {name} has kernel {kernel.shape} and bias {bias.shape}, laid out as Keras has them; "
                f"after {inputs} values they should be {expected} and ({outputs},); {REMEDY}"
            )
        for array in (kernel, bias):
            if array.dtype.kind != "f" or not np.isfinite(array).all():
                raise InputError(f"{path}: {name} holds values that are not finite; {REMEDY}")


def _validate_samples(samples):
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or not samples.size:
        raise InputError(f"samples have shape {samples.shape}; give mono sound, (n,) or (clips, n), and not none")
    if samples.dtype.kind != "f" or not np.isfinite(samples).all():
        raise InputError(f"samples are {samples.dtype}, or hold nan or infinity; give floating point, full scale 1")
    return samples


def _resample(clips, sample_rate):
    import librosa

    if not sample_rate > 0:
        raise InputError(f"sample_rate is {sample_rate}; it should be above 0, in Hz")
    return librosa.resample(clips, orig_sr=sample_rate, target_sr=SAMPLE_RATE, res_type="soxr_hq")
