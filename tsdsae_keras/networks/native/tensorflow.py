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
