"""Several models, alike but for their seeds, trained by one program: JAX alone, whose vmap makes one step of many.

The features lie on the device, and an epoch is one launch: a loop over steps, each of which takes every model forward.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import keras
import numpy as np

from tsdsae_keras.errors import TrainingDiverged


@dataclass
class Member:
    """One of the models that are trained together.

    Attributes:
        model: compiled.
        callbacks: its own, a list.
        rows: function of an epoch that gives the rows of x in its batches, (steps, B).
        error: what ended its training before the end, or None.
    """

    model: keras.Model
    callbacks: list
    rows: Callable
    error: TrainingDiverged | None = None

    def begin(self, epochs):
        """To be called before the first epoch; `epochs` is that behind the last."""
        self.model.stop_training = False
        self.model.optimizer.build(self.model.trainable_variables)
        more = {"epochs": epochs, "steps": len(self.rows(0))}
        self.callbacks = keras.callbacks.CallbackList(self.callbacks, model=self.model, add_history=False, **more)
        self.callbacks.on_train_begin()

    def hear(self, epoch, steps, ends):
        """Tells the callbacks of an epoch: the logs of its steps, (steps,) by name, and those of its end."""
        try:
            for step in range(len(next(iter(steps.values())))):
                self.callbacks.on_train_batch_end(step, {name: values[step] for name, values in steps.items()})
            self.callbacks.on_epoch_end(epoch, ends)
        except TrainingDiverged as error:
            self.error = error

    @property
    def over(self):
        """Whether it trains no more."""
        return self.model.stop_training or self.error is not None


class SeedTrainer:
    """Models of one architecture, each with weights, slots, draws, order of the data and callbacks of its own.

    Each goes the way it would go alone, by its own `train_step`, up to the rounding of sums that are taken in another
    order. One that its callbacks stop, or whose training diverged, leaves; the others continue.
    """

    def __init__(self, members, x, validation, epochs):
        self.running, self.epochs = list(members), epochs
        self.x, self.validation = jnp.asarray(x), [jnp.asarray(batch) for batch in validation]
        self.compiled_for = None

    def fit(self, stop, show):
        """Trains all models to their end.

        Args:
            stop: a callback that is told of the beginning and the end of training; what it `asked` ends it.
            show: called after an epoch with its number, the logs of each model that ran it and its seconds.
        """
        stop.on_train_begin()
        for member in self.running:
            member.begin(self.epochs.stop)
        for epoch in self.epochs:
            start = time.perf_counter()
            logs = self._epoch(epoch)
            show(epoch, logs, time.perf_counter() - start)
            self._let_go(stop.asked)
            if not self.running:
                break
        self._let_go(True)
        stop.on_train_end()

    def _let_go(self, everyone):
        for member in list(self.running):
            if everyone or member.over:
                member.callbacks.on_train_end()
                self.running.remove(member)

    def _epoch(self, epoch):
        """One epoch of all; returns the logs of each."""
        for member in self.running:
            member.model.reset_metrics()
            member.callbacks.on_epoch_begin(epoch)
        models = [member.model for member in self.running]
        self._compile(models)
        rows = np.stack([member.rows(epoch) for member in self.running], axis=1)
        state, logs = self.train(_state(models), self.x, jnp.asarray(rows))
        _put_back(models, state)
        steps = _of_each(logs, len(models), axis=1)
        ends = [{name: values[-1] for name, values in of_model.items()} for of_model in steps]
        ends = [train | of_validation for train, of_validation in zip(ends, self._validate(models, state), strict=True)]
        for member, of_model, end in zip(self.running, steps, ends, strict=True):
            member.hear(epoch, of_model, end)
        return ends

    def _validate(self, models, state):
        """The validation logs of each model; `state` is what training left of all."""
        for model in models:
            model.reset_metrics()
        metrics = _stack([model.metrics_variables for model in models])
        state, logs = (*state[:2], metrics), {}
        for batch in self.validation:
            logs, state = self.test(state, batch)
        return _of_each({f"val_{name}": values for name, values in logs.items()}, len(models), axis=0)

    def _compile(self, models):
        """The programs for these models in their stage."""
        needed = models[0], str(models[0].phase()), len(models)
        if needed != self.compiled_for:
            self.compiled_for = needed
            self.train = jax.jit(_epoch_of(models[0]), donate_argnums=0)
            self.test = jax.jit(jax.vmap(models[0].test_step, in_axes=(0, None)))


def _epoch_of(model):
    """A function (state, x, rows of every step and model) -> state and the logs (steps, models) of an epoch."""
    every = jax.vmap(model.train_step)

    def epoch(state, x, rows):
        def step(state, rows):
            logs, state = every(state, x[rows])
            return state, logs

        return jax.lax.scan(step, state, rows)

    return epoch


def _of_each(logs, count, axis):
    """Logs with an axis of models as a list of logs."""
    logs = {name: np.asarray(values) for name, values in logs.items()}
    return [{name: values.take(number, axis) for name, values in logs.items()} for number in range(count)]


def _variables(model):
    """What a train step changes on JAX."""
    optimizer, metrics = model.optimizer.variables, model.metrics_variables
    return model.trainable_variables, model.non_trainable_variables, optimizer, metrics


def _state(models):
    """The values of all models' variables, model by model along a new first axis."""
    return tuple(map(_stack, zip(*map(_variables, models), strict=True)))


def _stack(group):
    """The values of lists of variables, one list of each model."""
    return [jnp.stack([each.value for each in same]) for same in zip(*group, strict=True)]


def _put_back(models, state):
    """Gives the models their values, each its own."""
    for group, values in zip(zip(*map(_variables, models), strict=True), state, strict=True):
        for same, value in zip(zip(*group, strict=True), values, strict=True):
            for variable, row in zip(same, np.asarray(value), strict=True):
                variable.assign(row)
