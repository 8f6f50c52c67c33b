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


def merged(first, second):
    """One layer in place of two, the first of which is linear: (n, in) -> (n, out), a function.

    (x A + a) B + b is x (A B) + (a B + b). The values between the two are never made, nor their gradients, which is
    less work wherever in * out is smaller than what both take, as it is between a decoder and an encoder.

    Args:
        first: a built Dense layer without activation.
        second: a built layer of `dense` for its outputs, whose activation and precision hold.
    """
    kernel = ops.matmul(first.kernel, second.kernel)
    bias = ops.matmul(first.bias, second.kernel) + second.bias
    after, low = (second.after, "bfloat16") if isinstance(second, Dense) else (second.activation, "float32")

    def layer(rows):
        product = ops.matmul(ops.cast(rows, low), ops.cast(kernel, low)) + ops.cast(bias, low)
        return after(ops.cast(product, "float32"))

    return layer


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
