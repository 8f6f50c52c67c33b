"""The base of all models: batches in, a dict of outputs, named scalars, their weighted sum.

It knows nothing of codes, stages or reconstructions: what a family has of those is in the family.
"""

import contextlib

import keras
from keras import ops

from tsdsae_keras.base.compilation import portable
from tsdsae_keras.base.steps import TrainStep
from tsdsae_keras.base.steps.finite_mean import FiniteMean
from tsdsae_keras.networks import replicas
from tsdsae_keras.networks.sampling import Sampling


class RepresentationModel(TrainStep, keras.Model):
    """A model trained by a weighted sum of named scalars.

    A family gives `call(batch, training) -> dict of outputs` and `terms(batch, outputs, training) -> {name: scalar}`;
    training, tracking, guards, saving and selection of the best epoch are inherited. A batch is an array or any dict of
    arrays with the sequences, images or pairs along the first axis.

    Args:
        config: every argument of the subclass's constructor by its name, checked; each becomes an attribute, and
            `get_config` gives it back. "term_weights" is {name: weight} of the loss, "seed" that of all draws.
    """

    all_terms = ()  # names of the terms of the loss, in the order they are shown
    monitors = ()  # names of scalars that `terms` gives as well, tracked but not part of the loss
    selection_terms = ("loss",)  # their sum on validation data decides which epoch is kept

    def __init__(self, config, **kwargs):
        # Keras would number the names of later instances, and with them the paths of weights.
        super().__init__(**{"name": type(self).__name__.lower(), **kwargs})
        for name, value in config.items():
            setattr(self, name, value)
        self._config = config
        self._given_draws = {}
        self.sampling = Sampling(config.get("seed"), name="sampling")
        self.sampling.build()
        self.trackers = {name: FiniteMean(name) for name in (*self.all_terms, *self.monitors)}
        self.norm_tracker = FiniteMean("gradient_norm")
        self.skipped_tracker = keras.metrics.Sum(name="skipped_steps")

    def terms(self, batch, outputs, training=False):
        """{name: scalar}, unweighted: the terms of the loss whose weight is not 0, and the monitors.

        Args:
            batch: what the model was called on.
            outputs: of `call`.
            training: whether random partners, noise and the like are drawn, or the deterministic choice is taken.
        """
        raise NotImplementedError(f"{type(self).__name__} must define terms(batch, outputs, training)")

    def active_terms(self):
        """Names of the terms of the loss that count now: those whose weight is not 0."""
        return tuple(name for name in self.all_terms if self.term_weights[name])

    def idle_terms(self):
        """Names of active terms that nothing trainable can change now; a training step leaves them out."""
        return ()

    def weighted_sum(self, terms):
        """The loss."""
        return sum(self.term_weights[name] * terms[name] for name in self.active_terms() if name in terms)

    def loss_terms(self, batch, *, draws=None, training=False):
        """The scalars of `terms` and their weighted sum, "loss"; gradients flow.

        Args:
            batch: as for `call`.
            draws: {name: array} that replace random draws; the class lists their names. With `draws`, everything else
                random is drawn as in training; without, nothing is random unless `training`.
            training: as for `call`.
        """
        batch = keras.tree.map_structure(ops.convert_to_tensor, batch)
        with self.given_draws(draws):
            outputs = self(batch, training=training)
            terms = self.terms(batch, outputs, training=training)
        return terms | {"loss": self.weighted_sum(terms)}

    @contextlib.contextmanager
    def given_draws(self, draws):
        """Within it, `draw` gives these arrays in place of random ones."""
        self._given_draws = dict(draws or {})
        try:
            yield
        finally:
            self._given_draws = {}

    def draw(self, name, sample):
        """A random tensor: the one given as `name`, or `sample(seed_generator)`.

        Every random value of a model comes through here, so that a port can be held to reference numbers and a
        resumed run draws as an uninterrupted one does.
        """
        given = self.given(name)
        return sample(self.sampling.generator) if given is None else ops.convert_to_tensor(given)

    def draw_rows(self, name, shape, sample, copies=1):
        """A random tensor with rows for the examples of a batch: the one given as `name`, or `sample(shape, seed=...)`.

        On several devices every replica draws for the whole batch and takes its own rows, so that a model learns the
        same on any number of them. A draw for the batch as a whole comes from `draw`.

        Args:
            name: of the draw.
            shape: what is needed here, (n, ...).
            sample: a function of a shape and a seed, such as `keras.random.normal`.
            copies: how often the batch is repeated along the rows, where each copy has rows of its own.
        """
        whole = (replicas.count() * shape[0], *shape[1:])
        return self.draw(name, lambda seed: replicas.part(sample(whole, seed=seed), copies))

    def whole(self, values):
        """The rows of the whole batch, for a loss that compares examples; `values` where no device has only a part.

        Args:
            values: (n, ...) of the examples that this device sees, or None.
        """
        return None if values is None else replicas.gather(values)

    def take(self, values, order):
        """Rows of the whole batch in an order of all of it, those for the examples that this device sees.

        Args:
            values: (n, ...), or None.
            order: positions in the whole batch, or None for the order there is.
        """
        if values is None or order is None:
            return values
        return ops.take(self.whole(values), replicas.part(order), axis=0)

    def whole_size(self, values):
        """How many rows `whole` has."""
        return replicas.count() * ops.shape(values)[0]

    def is_given(self, name):
        """Whether a random draw of this name was replaced by the caller."""
        return self.given(name) is not None

    def given(self, name):
        """What the caller gave in place of a random draw, or None."""
        return self._given_draws.get(name)

    def reseed(self, *numbers):
        """Sets the state of the draws as a function of non-negative integers, such as (seed, epoch)."""
        self.sampling.reseed(*numbers)

    def batch_size(self, batch):
        """How many examples a batch holds, the weight of its means over an epoch."""
        return ops.shape(keras.tree.flatten(batch)[0])[0]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        terms = self.terms(x, y_pred, training=training)
        loss = self.weighted_sum(terms)
        # What is shown and judged is of the whole batch; each replica's own loss is what it differentiates.
        whole, *values = replicas.average([ops.stop_gradient(value) for value in (loss, *terms.values())])
        finite, batch = ops.isfinite(whole), ops.cast(self.batch_size(x), "float32")
        for name, value in zip(terms, values, strict=True):
            self.trackers[name].update_state(value, batch, finite)
        return loss

    def get_metrics_result(self):
        names = ("loss", *self.active_terms(), *self.monitors)
        results = super().get_metrics_result()
        return {name: results[name] for name in names if name in results}

    # What callbacks ask of any model; a model with stages answers otherwise.

    def phase(self):
        """What tells the parts of a run apart in its history and progress, such as {"stage": 1}."""
        return {}

    def is_selectable(self):
        """Whether the validation loss can be compared with those of earlier and later epochs."""
        return True

    def get_compile_config(self):
        return portable(super().get_compile_config())

    def get_config(self):
        return {"name": self.name} | self._config
