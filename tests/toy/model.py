"""The model, its data and its score: all that the shared machinery is given."""

from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops, random

from tsdsae_keras.base.model import RepresentationModel


@keras.saving.register_keras_serializable(package="tests")
class Toy(RepresentationModel):
    """x (batch, 4) -> code (batch, code) with noise -> x."""

    all_terms = ("error", "size")

    def __init__(self, code=2, seed=0, **kwargs):
        super().__init__({"code": code, "seed": seed, "term_weights": {"error": 1.0, "size": 0.1}}, **kwargs)
        self.down, self.up = layers.Dense(code, name="down"), layers.Dense(4, name="up")
        self.down.build((None, 4))
        self.up.build((None, code))
        self.built = True

    def call(self, batch, training=False):
        code = self.down(batch["x"])
        noise = self.draw_rows("eps", ops.shape(code), random.normal) if training else 0.0
        return {"code": code, "x": self.up(code + 0.1 * noise)}

    def terms(self, batch, outputs, training=False):
        error = ops.mean(ops.square(batch["x"] - outputs["x"]))
        return {"error": error, "size": ops.mean(ops.square(outputs["code"]))}

    def get_config(self):
        return {name: value for name, value in super().get_config().items() if name != "term_weights"}


def open_vectors(settings):
    """64 vectors on a plane in four dimensions."""
    rng = np.random.default_rng(settings.data_seed)
    x = (rng.normal(size=(64, 2)) @ rng.normal(size=(2, 4))).astype("float32")
    return SimpleNamespace(x=x, identity=f"vectors-{settings.data_seed}", folder=None, warning=None)


def build(settings, data):
    return Toy(settings.code, settings.seed)


def batches(data, settings, split):
    x, size = (data.x[:48] if split == "train" else data.x[48:]), settings.batch_size
    state = {"epoch": 0}

    def rows():
        order = np.random.default_rng((settings.seed, state["epoch"])).permutation(len(x))
        for at in range(0, len(x), size):
            yield {"x": x[order[at : at + size]]}

    dataset = tf.data.Dataset.from_generator(rows, output_signature={"x": tf.TensorSpec((None, 4), tf.float32)})
    count = -(-len(x) // size)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    return SimpleNamespace(dataset=dataset, batches=count, set_epoch=lambda epoch: state.update(epoch=epoch))


def evaluate(model, data, seed):
    return {"error": float(model.loss_terms({"x": data.x[48:]})["error"]), "n": 16}


def table(result):
    return f"error {result['error']:.4f} of {result['n']}"
