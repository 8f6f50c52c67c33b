"""Dense layers by the backend's quickest products, which may be taken in a lower precision; two layers as one, and one
layer of frames and of a vector that all of them share.
"""

from keras import activations, layers, ops

from tsdsae_keras.networks.native import of_backend
from tsdsae_keras.ops import apply_to_rows


class Dense(layers.Dense):
    """`keras.layers.Dense` on (n, in), with float32 outside of the product whatever the precision.

    It has Keras's name, by which files of weights find their layers, so that a model of either precision reads the
    weights of the other. Keras's own policy for that would round the bias too, which harms the gradient half as much as
    the rounded kernel does, and take the activation in bfloat16, where TensorFlow's tanh and its gradient are slow.

    Args:
        units: width.
        activation: "tanh" or None.
        precision: "float32", or "mixed_bfloat16", where factors and product are rounded to bfloat16; only factors on
            JAX, and on PyTorch on a processor with AVX-512.
    """

    def __init__(self, units, activation=None, precision="float32", **kwargs):
        super().__init__(units, activation, **kwargs)
        self.precision = precision

    def call(self, inputs):
        return self.finish(linear(inputs, self.kernel, self.bias, self.precision))

    def get_config(self):
        return super().get_config() | {"precision": self.precision}

    def finish(self, product):
        """The activation of a product."""
        return tanh(product) if self.activation is activations.tanh else self.activation(product)


def fuse(first, second):
    """One layer in place of two, the first of which is linear: (n, in) -> (n, out), a function.

    (x A + a) B + b is x (A B) + (a B + b). The values between the two are never made, nor their gradients, which is
    less work wherever in * out is smaller than what both take, as it is between a decoder and an encoder.

    Args:
        first: a built Dense layer without activation.
        second: a built `Dense` for its outputs, whose activation and precision hold.
    """
    kernel = ops.matmul(first.kernel, second.kernel)
    bias = ops.matmul(first.bias, second.kernel) + second.bias
    return lambda rows: second.finish(linear(rows, kernel, bias, second.precision))


def dense_of_frames_and_code(layer, x, v):
    """A layer of frames with v concatenated to each: (batch, time, in) and (batch, v_dim) -> (batch, time, units).

    [x, v] [A; B] + b is x A + (v B + b), and what is in brackets is the same in all frames of a sequence: made
    once, as is its gradient.

    Args:
        layer: a built `Dense` for inputs of in + v_dim.
        x: the frames.
        v: the codes.
    """
    frame, code = layer.kernel[: x.shape[-1]], layer.kernel[x.shape[-1] :]
    of_sequence = linear(v, code, layer.bias, layer.precision)
    of_frames = apply_to_rows(lambda rows: linear(rows, frame, None, layer.precision), x)
    return layer.finish(of_frames + ops.expand_dims(of_sequence, 1))


def linear(rows, kernel, bias=None, precision="float32"):
    """rows kernel + bias, the product in a precision: (n, in), (in, out), (out,) or None -> (n, out), float32."""
    rows, kernel = (ops.cast(factor, "float32") for factor in (rows, kernel))
    bias = bias if bias is None else ops.convert_to_tensor(bias)
    product_and_bias = getattr(of_backend(), "linear", _linear)
    if precision == "float32":
        return product_and_bias(rows, kernel, bias)
    quick = getattr(of_backend(), "rounded_linear", None)
    outputs = quick(rows, kernel, bias) if quick else None
    if outputs is not None:
        return outputs
    rows, kernel = (ops.cast(factor, "bfloat16") for factor in (rows, kernel))
    return _with_bias(ops.cast(product_and_bias(rows, kernel, None), "float32"), bias)


def _linear(rows, kernel, bias):
    return _with_bias(ops.matmul(rows, kernel), bias)


def _with_bias(product, bias):
    return product if bias is None else ops.add(product, bias)


def tanh(values):
    """tanh, elementwise."""
    return getattr(of_backend(), "tanh", ops.tanh)(values)
