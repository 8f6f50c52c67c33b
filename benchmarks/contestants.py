"""Contestants: processes that stay alive and train for an epoch on command, so that several can take turns.

Run as a program, this file is one contestant: it reads settings, a line of JSON, from standard input, then a line for
each epoch that it is to run, and answers each with a line of JSON.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import memory_peak

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "NPROC")  # the last is XLA's


@dataclass(frozen=True)
class Race:
    """What one contestant does.

    Attributes:
        kind: "tensorflow", "jax", "torch" (this library on that backend) or "peer" (plain PyTorch).
        stage: 1 or 2.
        batch, frames, features, z_dim: sizes of a step.
        clips: sequences in memory, which make an epoch of clips // batch steps.
        precision: "float32" or "mixed_bfloat16".
        threads: of the processor.
        tf32: whether a GPU may round the factors of float32 products.
        compiled, whole: of the peer: through torch.compile; with whole second passes (see `peer.Peer`).
        kept: whether the process keeps the memory that is freed (`process.keep_memory`), as the library's commands do.
        shared: whether both swaps pair the same z with the same v and are computed once (`swap_pairs` of the models).
        models: that `--seeds` would train in one program (JAX alone); None for one model and Keras's `fit`.
        data: a prepared folder whose training split is taken, or None for made-up sequences; of "cpd" a data set.
        family: "tsdsae", "slowvae" on pairs of dSprites, which the library renders as it trains, or "cpd".
    """

    kind: str
    stage: int = 2
    batch: int = 128
    frames: int = 251
    features: int = 80
    z_dim: int = 16
    clips: int = 1536
    precision: str = "float32"
    threads: int = 2
    tf32: bool = False
    compiled: bool = False
    whole: bool = False
    kept: bool = False
    shared: bool = False
    models: int | None = None
    data: str | None = None
    family: str = "tsdsae"

    @property
    def steps(self):
        """Steps of an epoch."""
        return self.clips // self.batch

    @property
    def name(self):
        """What the table calls it."""
        words = {"whole": "whole passes", "compiled": "compiled", "kept": "memory kept", "shared": "pairs shared"}
        how = [word for field, word in words.items() if getattr(self, field)]
        if self.models is not None:
            how.append(f"{self.models} in one program")
        if self.kind != "peer":
            return ", ".join(["tsdsae_keras", self.kind, *how])
        return ", ".join(["plain PyTorch", *how, f"{self.threads} thread{'s' * (self.threads > 1)}"])


class Contestant:
    """A process that runs a `Race`; everything it says on its own goes to a file that is kept until it fails."""

    def __init__(self, race):
        self.race, self.error, self.about = race, None, {}
        self.chatter = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        threads = {name: str(race.threads) for name in THREAD_VARIABLES}
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        memory = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # else the peak is what was taken, not what was used
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.chatter,
            text=True,
            env=os.environ | threads | quiet | memory,
        )
        self._tell(asdict(race))

    def epoch(self):
        """Runs an epoch; its answer, a dict with "seconds", "loss" and "memory", or None where the process failed."""
        if self.error is None:
            self._tell("epoch")
            self._listen()
        return None if self.error else self.about

    def end(self):
        """Ends the process."""
        with contextlib.suppress(BrokenPipeError):  # it has ended, with something left to read
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.chatter.close()

    def _tell(self, what):
        try:
            print(json.dumps(what), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self._fail()

    def _listen(self):
        line = self.process.stdout.readline()
        if not line:
            self._fail()
        else:
            self.about |= json.loads(line)
            self.error = self.about.get("error")

    def _fail(self):
        status = self.process.wait()
        self.chatter.seek(0)
        said = self.chatter.read().strip().splitlines()
        self.error = f"ended with status {status}: {said[-1] if said else 'no message'}"


def sequences(race):
    """The sequences of a race, float32 (clips, frames, features): log-mel of the data, or noise of its size."""
    import numpy as np

    if race.data is None:
        shape = (race.clips, race.frames, race.features)
        return 3.0 * np.random.default_rng(0).standard_normal(shape, "float32") - 4.0
    from tsdsae_keras.data.prepared.store import PreparedData

    x = PreparedData(race.data).features("train")
    return np.resize(x, (race.clips, *x.shape[1:]))


def run_keras(race, wait, reply):
    """This library as `train.py` runs it: the same model, compiled alike, in one `fit` over a `SequenceStream`."""
    import tsdsae_keras.data.prepared.pipeline as pipeline
    from tsdsae_keras.training.callbacks import SeedEpochs

    _set_up(race)
    if race.family in OPTIONS:
        model, stream = _of_family(race)
    else:
        x = sequences(race)
        model = _model(race, x)
        stream = pipeline.SequenceStream(x, race.batch, training=True)
    calls = [_turn_callback(wait, reply), SeedEpochs(0, stream)]
    model.fit(stream.dataset, epochs=10**9, shuffle=False, verbose=0, callbacks=calls)


def _of_family(race):
    """A compiled model of another family and its stream, as a run of the quick preset has them."""
    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.training.fitting import build_model, compile_model, open_streams

    settings = family_settings(race)
    data = open_data(settings)
    model = build_model(settings, data)
    compile_model(model, settings, steps=settings.epochs * race.steps)
    return model, open_streams(settings, data)[0]


def family_settings(race):
    """`Settings` of the quick preset with what the race changes."""
    from tsdsae_keras.settings import with_preset

    sizes = {"batch_size": race.batch, "epoch_steps": race.steps}
    backend = {} if race.kind == "peer" else {"backend": race.kind}
    return with_preset({"model": race.family, **backend, **sizes, **OPTIONS[race.family](race)})


# How many images are rendered before the race does not matter to a step.
OPTIONS = {
    "slowvae": lambda race: {"z_dim": race.z_dim},
    "cpd": lambda race: {"data": race.data, "images": 2048, "held_out": 64},
}


def _frames(race):
    """Frames of dSprites for an epoch, made before it."""
    import numpy as np

    from tsdsae_keras.data.sets.dsprites_render import GRID, render
    from tsdsae_keras.data.sets.transitions import draw_pairs

    return render(draw_pairs(GRID, np.random.default_rng(0), race.steps * race.batch // 2))


def _triples(race):
    """Triples of an epoch, made before it."""
    import numpy as np

    from tsdsae_keras.data.sets import open_data

    data = open_data(family_settings(race))
    return data.triples("train", np.random.default_rng(0), race.steps * race.batch)


def run_several(race, wait, reply):
    """This library as `train.py --seeds` runs it: models that differ in the seed, in one program."""
    import keras

    from tsdsae_keras.training.callbacks import SeedEpochs
    from tsdsae_keras.training.train_seeds import rows_of
    from tsdsae_keras.training.vmap_seeds import Member, Several

    _set_up(race)
    x, stop = sequences(race), keras.callbacks.Callback()
    stop.asked = False

    def member(seed):
        own = [_turn_callback(wait, reply)] if seed == 0 else []
        return Member(_model(race, x, seed), [*own, SeedEpochs(seed)], rows_of(len(x), race.batch, seed))

    several = Several([member(seed) for seed in range(race.models)], x, [], range(10**9))
    several.fit(stop, lambda *_: None)


def _turn_callback(wait, reply):
    """A callback that waits for its turn before an epoch and tells after it how long it took."""
    import keras

    class TakeTurns(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if not wait():
                sys.exit()
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            keras.ops.convert_to_numpy(self.model.trainable_variables[-1])  # the device has finished the last step
            reply(time.perf_counter() - self.start, float(logs["loss"]))

    return TakeTurns()


def _model(race, x, seed=0):
    """A compiled model in the stage of the race."""
    from tsdsae_keras.families.tsdsae.building import make_model
    from tsdsae_keras.families.tsdsae.settings import MODEL_OPTIONS
    from tsdsae_keras.training.fitting import compile_model

    settings = _settings(race)
    config = {name: getattr(settings, name) for name in MODEL_OPTIONS}
    model = make_model(settings.model, features=x.shape[-1], seed=seed, **config)
    if settings.standardize:
        model.adapt(x[: race.batch])
    compile_model(model, settings, steps=settings.epochs * race.steps)
    if race.stage == 2:
        model.enter_stage(2)
    return model


def _settings(race):
    """Those of the quick preset with what the race changes."""
    from tsdsae_keras.settings import with_preset

    pairs = "shared" if race.shared else "independent"
    given = {"batch_size": race.batch, "z_dim": race.z_dim, "precision": race.precision, "swap_pairs": pairs}
    return with_preset({"backend": race.kind} | given)


def _set_up(race):
    """Threads, TF32, and the GPU to the backend alone."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(race.threads)
    tf.config.threading.set_inter_op_parallelism_threads(race.threads)
    tf.config.experimental.enable_tensor_float_32_execution(race.tf32)
    if race.kind != "tensorflow":
        tf.config.set_visible_devices([], "GPU")
    if race.kind == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if race.tf32 else "float32")
    elif race.kind == "torch":
        import torch

        torch.set_num_threads(race.threads)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = race.tf32


def run_peer(race, wait, reply):
    """Plain PyTorch."""
    from benchmarks import cpd_peer, peer, slowvae_peer

    if race.family == "slowvae":
        slowvae_peer.run(_frames(race), asdict(race), wait, reply)
        return
    if race.family == "cpd":
        width = family_settings(race).width
        cpd_peer.run(_triples(race), asdict(race) | {"width": width}, wait, reply)
        return
    peer.Race(sequences(race), asdict(race)).run(wait, reply)


def main():
    """Reads settings, then runs an epoch for each line; ends with the input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    race = Race(**json.loads(sys.stdin.readline()))

    def reply(seconds, loss):
        told = {"seconds": seconds, "loss": loss, **memory_peak(race.kind)}
        print(json.dumps(told), file=answers, flush=True)

    if race.kind != "peer":
        os.environ["KERAS_BACKEND"] = race.kind
    if race.kept or race.kind != "peer":
        from tsdsae_keras.process import keep_memory

        keep_memory()
    try:
        run = run_peer if race.kind == "peer" else run_keras if race.models is None else run_several
        run(race, sys.stdin.readline, reply)
    except Exception as error:  # whatever the backend raises: the others race on
        said = " ".join(str(error).split())[:200]
        print(json.dumps({"error": f"{type(error).__name__}: {said}"}), file=answers, flush=True)


if __name__ == "__main__":
    main()
