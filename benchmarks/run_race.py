"""One contestant, as a program: it reads a race, a line of JSON, from standard input, then a line for each epoch that
it is to run, and answers each with a line of JSON.
"""

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.contestants import Race
from benchmarks.machine import memory_peak


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

    backend = {} if race.kind == "peer" else {"backend": race.kind}
    return with_preset({"model": race.family, "batch_size": race.batch, **backend, **OPTIONS[race.family](race)})


# How many images are rendered before the race does not matter to a step.
OPTIONS = {
    "slowvae": lambda race: {"epoch_steps": race.steps, "z_dim": race.z_dim},
    "cpd": lambda race: {"epoch_steps": race.steps, "data": race.data, "images": 2048, "held_out": 64},
    "sps": lambda race: {"epoch_steps": race.steps, "data": "scales"},
    # Synthesised sounds are on every machine, and views take as long whatever they show.
    "selfie": lambda race: {"model": "selfie-style", "steps": race.steps, "sources": ("synth",), "sounds": 256},
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


def _scales(race):
    """Training scales of the quick preset, and what the peer needs of its settings."""
    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.families.sps.domains import DOMAINS

    settings = family_settings(race)
    known = {"channels": settings.channels, "units": settings.decoder_units, "hidden": settings.prior_units}
    known |= {
        "copies": DOMAINS["music"].copies,
        "scale": settings.input_scale,
        "speed": settings.sampling_speed,
        "center": settings.center,
    }
    return open_data(settings).frames("train").swapaxes(2, 3).copy(), known | {"steps": race.steps}


def open_views(race):
    """What makes the views of the library's batches."""
    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.families.selfie.batches import Views

    settings = family_settings(race)
    return Views(open_data(settings), settings, "train")


def _views(race):
    """Two views of every clip of an epoch, made before it."""
    import numpy as np

    views = open_views(race)
    made = [views.make(0, step) for step in range(race.steps)]
    return {name: np.concatenate([each[name] for each in made]) for name in made[0]}


def run_several(race, wait, reply):
    """This library as `train.py --seeds` runs it: models that differ in the seed, in one program."""
    import keras

    from tsdsae_keras.training.callbacks import SeedEpochs
    from tsdsae_keras.training.train_seeds import rows_of
    from tsdsae_keras.training.vmap_seeds import Member, SeedTrainer

    _set_up(race)
    x, stop = sequences(race), keras.callbacks.Callback()
    stop.asked = False

    def member(seed):
        own = [_turn_callback(wait, reply)] if seed == 0 else []
        return Member(_model(race, x, seed), [*own, SeedEpochs(seed)], rows_of(len(x), race.batch, seed))

    several = SeedTrainer([member(seed) for seed in range(race.models)], x, [], range(10**9))
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
    from benchmarks import cpd_peer, peer, selfie_peer, slowvae_peer, sps_peer

    if race.family == "slowvae":
        slowvae_peer.run(_frames(race), asdict(race), wait, reply)
    elif race.family == "cpd":
        settings = family_settings(race)
        known = {"width": settings.width, "batch_norm": settings.batch_norm == "on"}
        cpd_peer.run(_triples(race), asdict(race) | known, wait, reply)
    elif race.family == "sps":
        x, known = _scales(race)
        sps_peer.run(x, asdict(race) | known, wait, reply)
    elif race.family == "selfie":
        selfie_peer.run(_views(race), asdict(race), wait, reply)
    else:
        peer.Race(sequences(race), asdict(race)).run(wait, reply)


def main():
    """Reads settings, then runs an epoch for each line; ends with the input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
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
