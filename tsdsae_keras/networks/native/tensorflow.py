"""TensorFlow's fused loop over time for LSTM layers, on the processor, instead of a graph for every frame."""

import tensorflow as tf


def serves(x):
    """In float32 on the processor; a GPU goes the general way, and the fused loop knows no bfloat16."""
    return x.dtype == tf.float32 and not tf.config.list_physical_devices("GPU")


def run_natively(stack, x):
    """Outputs of the last of a stack of `keras.layers.LSTM`: (batch, time, in) -> (batch, time, units).

    Equal to calling the layers one after the other (default activations, no mask). XLA cannot compile it.

    Args:
        stack: built layers, each fed by the one before.
        x: (batch, time, in).
    """
    frames = tf.transpose(x, (1, 0, 2))
    for layer in stack:
        cell = layer.cell
        weights = [tf.convert_to_tensor(weight.value) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)]
        frames = tf.ensure_shape(_lstm(frames, *weights), (*frames.shape[:2], layer.units))
    return tf.transpose(frames, (1, 0, 2))


@tf.custom_gradient
def _lstm(x, kernel, recurrent, bias):
    """(time, batch, in) -> (time, batch, units); gates in Keras's order."""
    units, time, batch = recurrent.shape[0], tf.shape(x)[0], tf.shape(x)[1]
    start, none = tf.zeros((batch, units)), tf.zeros(units)
    inputs = {"x": x, "w": tf.concat([kernel, recurrent], 0), "b": bias, "seq_len_max": tf.cast(time, tf.int64)}
    inputs |= {"cs_prev": start, "h_prev": start, "use_peephole": False, "wci": none, "wcf": none, "wco": none}
    run = tf.raw_ops.BlockLSTMV2(**inputs, cell_clip=0.0)

    def gradient(d_output):
        # Asked for by name: the gradient that TensorFlow registers for BlockLSTMV2 is that of BlockLSTM, whose gates
        # come in another order.
        back = tf.raw_ops.BlockLSTMGradV2(**inputs, **run._asdict(), cs_grad=tf.zeros_like(run.cs), h_grad=d_output)
        return back.x_grad, *tf.split(back.w_grad, (kernel.shape[0], units)), back.b_grad

    return run.h, gradient


def squared_error(x, y):
    """The sum of (x - y)^2; the gradient of `l2_loss` is one pass, that of a mean of squares four."""
    return 2.0 * tf.nn.l2_loss(x - y)


def batch_norm(x, gamma, beta, epsilon, relu):
    """x (..., channels) normalised over all axes but the last, with its mean and unbiased variance.

    TensorFlow's fused function is as fast, but its sums are off in their fourth digit (see `average_by_axis`).
    """
    outputs, mean, variance = _batch_norm(*map(tf.convert_to_tensor, (x, gamma, beta)), epsilon, relu)
    rows = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
    return outputs, mean, variance * (rows / tf.maximum(rows - 1.0, 1.0))


def _batch_norm(x, gamma, beta, epsilon, relu):
    @tf.custom_gradient
    def normalize(x, gamma, beta):
        outputs, mean, variance = _normalize(x, gamma, beta, epsilon, relu)

        def gradient(d_y, *_):
            return _gradient_of_normalize(d_y, x, gamma, mean, variance, epsilon, outputs if relu else None)

        return (outputs, tf.stop_gradient(mean), tf.stop_gradient(variance)), gradient

    return normalize(x, gamma, beta)


# Each is compiled by XLA into a few passes over x, where TensorFlow's operations take a pass each.
@tf.function(jit_compile=True, autograph=False)
def _normalize(x, gamma, beta, epsilon, relu):
    mean = average_by_axis(x)
    difference = x - mean
    variance = average_by_axis(tf.square(difference))
    outputs = difference * (gamma * (1.0 / tf.sqrt(variance + epsilon))) + beta
    return tf.nn.relu(outputs) if relu else outputs, mean, variance


@tf.function(jit_compile=True, autograph=False)
def _gradient_of_normalize(d_y, x, gamma, mean, variance, epsilon, rectified):
    d_y = d_y if rectified is None else tf.where(rectified > 0, d_y, 0.0)
    scale, difference = 1.0 / tf.sqrt(variance + epsilon), x - mean
    d_beta = average_by_axis(d_y)
    d_gamma = average_by_axis(d_y * difference) * scale
    d_x = (d_y - (difference * (d_gamma * scale) + d_beta)) * (gamma * scale)
    rows = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
    return d_x, rows * d_gamma, rows * d_beta


def average_by_axis(x):
    """The mean over all axes but the last, an axis at a time.

    TensorFlow adds all numbers of one long sum one after the other, with a rounding error that grows with their number:
    in a ResNet of 17 layers the code was then off in its fifth digit, and gradients in their third.
    """
    for _ in range(len(x.shape) - 1):
        x = tf.reduce_mean(x, axis=-2)
    return x


def split_rows(x, sizes):
    """x (sum of sizes, ...) in parts, whose gradients are put together in one pass; those of slices are many."""
    return tf.split(x, sizes)


def row_conv_transpose(x, kernel, bias, stride, rows):
    """Transposed convolution (batch, n, in) -> (batch, (n - 1) stride - 2 rows + size, out), without a crop after it,
    whose gradient takes longer than the convolution's."""
    shape = (tf.shape(x)[0], 1, (x.shape[1] - 1) * stride - 2 * rows + kernel.shape[0], kernel.shape[1])
    padding = [[0, 0], [0, 0], [rows, rows], [0, 0]]
    y = tf.nn.conv2d_transpose(x[:, None], kernel[None], shape, (1, 1, stride, 1), padding)[:, 0]
    return y if bias is None else tf.nn.bias_add(y, bias)


def summed_cross_entropy(x, logits):
    """The sum of log(1 + e^l) - x l; x, which may have fewer axes, has no gradient."""
    x = tf.convert_to_tensor(x)

    @tf.custom_gradient
    def add_up(logits):
        return _summed_cross_entropy(x, logits), lambda d_sum: _gradient_of_cross_entropy(x, logits, d_sum)

    return add_up(tf.convert_to_tensor(logits))


# Each is one pass, compiled by XLA; of TensorFlow's operations softplus alone takes longer.
@tf.function(jit_compile=True, autograph=False)
def _summed_cross_entropy(x, logits):
    values = tf.maximum(logits, 0.0) - x * logits + tf.math.log1p(tf.exp(-tf.abs(logits)))
    for _ in range(len(values.shape)):  # an axis at a time, as in `average_by_axis`
        values = tf.reduce_sum(values, axis=-1)
    return values


@tf.function(jit_compile=True, autograph=False)
def _gradient_of_cross_entropy(x, logits, d_sum):
    return d_sum * (tf.sigmoid(logits) - x)
