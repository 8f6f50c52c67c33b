"""Dense layers whose products may be taken in a lower precision."""

from keras import activations, layers, ops


def dense(units, activation=None, *, precision="float32", name=None):
    """A Dense layer of a trunk: weights, output and activation in float32, the product as `precision` says.

    Args:
        units: width.
        activation: name of a function, or None.
        precision: "float32", or "mixed_bfloat16", where factors and product are rounded to bfloat16.
        name: of the layer.
    """
    if precision == "float32":
        return layers.Dense(units, activation, name=name)
    return Dense(units, activation, precision=precision, name=name)


class Dense(layers.Dense):
    """`keras.layers.Dense` in a policy of mixed precision, with float32 outside of the product.

    It has Keras's name, by which files of weights find their layers, so that a model of either precision reads the
    weights of the other. The activation is not taken in bfloat16: there TensorFlow's tanh and its gradient are slow.
    """

    def __init__(self, units, activation=None, *, precision, **kwargs):
        super().__init__(units, dtype=precision, **kwargs)
        self.after = activations.get(activation)

    def call(self, inputs):
        return self.after(ops.cast(super().call(inputs), "float32"))
