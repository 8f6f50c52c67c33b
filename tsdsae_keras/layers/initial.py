"""PyTorch's initial weights, with which the published figures were made (uniform, +-1/sqrt(fan))."""

import keras
from keras import layers


def uniform(fan):
    """Uniform in +-1/sqrt(fan)."""
    limit = fan**-0.5
    return keras.initializers.RandomUniform(-limit, limit)


class TwoUniforms(keras.initializers.Initializer):
    """The sum of two draws of `uniform(fan)`: PyTorch's LSTM has two biases where Keras has one.

    Args:
        fan: the number of units.
    """

    def __init__(self, fan):
        self.fan = fan

    def __call__(self, shape, dtype=None):
        return uniform(self.fan)(shape, dtype=dtype) + uniform(self.fan)(shape, dtype=dtype)

    def get_config(self):
        return {"fan": self.fan}


def linear(units, fan_in, name, activation=None):
    """A Dense layer with the initial weights of torch.nn.Linear."""
    return layers.Dense(
        units, activation, kernel_initializer=uniform(fan_in), bias_initializer=uniform(fan_in), name=name
    )


def lstm(units, name, go_backwards=False):
    """An LSTM layer that returns every frame, with the initial weights of torch.nn.LSTM."""
    return layers.LSTM(
        units,
        return_sequences=True,
        go_backwards=go_backwards,
        unit_forget_bias=False,
        kernel_initializer=uniform(units),
        recurrent_initializer=uniform(units),
        bias_initializer=TwoUniforms(units),
        name=name,
    )
