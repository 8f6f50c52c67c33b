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


def batch_norm(x, gamma, beta, epsilon):
    """x (..., channels) normalised over all axes but the last, with its mean and unbiased variance.

    As fast as TensorFlow's fused function, whose sums are off in their fourth digit (see `average_by_axis`).
    """
    outputs, mean, variance = _batch_norm(*map(tf.convert_to_tensor, (x, gamma, beta)), epsilon)
    rows = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
    return outputs, mean, variance * (rows / tf.maximum(rows - 1.0, 1.0))


def _batch_norm(x, gamma, beta, epsilon):
    @tf.custom_gradient
    def normalize(x, gamma, beta):
        mean = average_by_axis(x)
        difference = x - mean
        variance = average_by_axis(tf.square(difference))
        scale = 1.0 / tf.sqrt(variance + epsilon)

        def gradient(d_y, *_):
            d_beta = average_by_axis(d_y)
            d_gamma = average_by_axis(d_y * difference) * scale
            d_x = (d_y - (difference * (d_gamma * scale) + d_beta)) * (gamma * scale)
            rows = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
            return d_x, rows * d_gamma, rows * d_beta

        statistics = tf.stop_gradient(mean), tf.stop_gradient(variance)
        return (difference * (gamma * scale) + beta, *statistics), gradient

    return normalize(x, gamma, beta)


def average_by_axis(x):
    """The mean over all axes but the last, an axis at a time.

    TensorFlow adds all numbers of one long sum one after the other, with a rounding error that grows with their number:
    in a ResNet of 17 layers the code was then off in its fifth digit, and gradients in their third.
    """
    for _ in range(len(x.shape) - 1):
        x = tf.reduce_mean(x, axis=-2)
    return x
