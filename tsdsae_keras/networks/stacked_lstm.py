"""A stack of LSTM layers, where the backend has no quicker way, in one loop over time instead of one loop a layer.

Each layer runs a frame behind the one below, so that in one step all layers can advance at once, from one matrix
product: the loop is as long as the sequence instead of as long as the sequence times the layers.
"""

from keras import layers, ops

from tsdsae_keras.networks.native import of_backend

FRAMES = 4  # taken in one turn of the loop, whose own cost is then shared
SHUT = -1e4  # added to an input gate, it keeps the gate at exactly 0 and with it the cell and the output


def stacked_lstm(stack, x):
    """Outputs of the last of a stack of `keras.layers.LSTM`: (batch, time, in) -> (batch, time, units).

    Equal to calling the layers one after the other (default activations, no mask).

    Args:
        stack: built layers, each fed by the one before.
        x: (batch, time, in).
    """
    native = of_backend()
    if native.serves(x):
        return native.run_natively(stack, x)
    return in_one_loop(stack, x)


def in_one_loop(stack, x):
    """The same on any backend."""
    lag, time = len(stack) - 1, ops.shape(x)[1]  # a tensor where TensorFlow traces for any length
    rest = -(time + lag) % FRAMES
    turns = (time + lag + rest) // FRAMES
    x = ops.pad(x, [[0, 0], [0, lag + rest], [0, 0]])
    from_below, recurrent, bias = _joined_weights(stack)
    gates = ops.matmul(ops.concatenate([x, _shut_flags(x, lag)], axis=-1), from_below) + bias
    # Keras's RNN is used as a loop over time on every backend; it owns nothing and is gone after the call.
    loop = layers.RNN(_JoinedCell(recurrent, stack[-1].units), return_sequences=True)
    outputs = loop(ops.reshape(gates, (-1, turns, FRAMES * gates.shape[-1])))
    return ops.reshape(outputs, (-1, turns * FRAMES, stack[-1].units))[:, lag : lag + time]


class _JoinedCell(layers.Layer):
    """All layers for a few frames: their gates but for what the outputs add, (batch, FRAMES * 4 * units), come in."""

    def __init__(self, recurrent, top):
        super().__init__()
        units = recurrent.shape[0]
        self.state_size, self.output_size = [units, units], FRAMES * top
        self.recurrent, self.top, self.built = recurrent, top, True

    def call(self, inputs, states):
        output, cell = states
        outputs = []
        for gates in ops.split(inputs, FRAMES, axis=-1):
            # The columns of g were doubled, so that one sigmoid serves all: tanh(a) = 2 sigmoid(2 a) - 1.
            gates = ops.sigmoid(gates + ops.matmul(output, self.recurrent))
            i, f, g, o = ops.split(gates, 4, axis=-1)
            cell = f * cell + i * (2.0 * g - 1.0)
            output = o * ops.tanh(cell)
            outputs.append(output[:, -self.top :])
        return ops.concatenate(outputs, axis=-1), [output, cell]


def _shut_flags(x, lag):
    """(batch, time, lag): flag l is 1 in the first l + 1 frames, before the first input reaches layer l + 1."""
    batch, time = ops.shape(x)[0], ops.shape(x)[1]
    flags = ops.arange(time)[:, None] <= ops.arange(lag)[None, :]
    return ops.broadcast_to(ops.cast(flags, x.dtype)[None], (batch, time, lag))


def _joined_weights(stack):
    """Matrices from input and flags (in + lag, 4 * units) and from outputs (units, 4 * units), and the bias.

    Columns go by gate, then by layer; those of the cell's new content are doubled.
    """
    below = [_rows(stack, {0: stack[0].cell.kernel})]
    for i, layer in enumerate(stack[1:], start=1):
        shut = ops.concatenate([ops.full((1, layer.units), SHUT), ops.zeros((1, 3 * layer.units))], axis=-1)
        below.append(_rows(stack, {i: shut}))
    recurrent = []
    for i, layer in enumerate(stack):
        above = {i + 1: stack[i + 1].cell.kernel} if i + 1 < len(stack) else {}
        recurrent.append(_rows(stack, {i: layer.cell.recurrent_kernel} | above))
    bias = ops.concatenate(_by_gate([layer.cell.bias for layer in stack]), axis=-1)
    units = bias.shape[-1] // 4
    double = ops.concatenate([ops.ones(2 * units), ops.full((units,), 2.0), ops.ones(units)])
    return ops.concatenate(below, axis=0) * double, ops.concatenate(recurrent, axis=0) * double, bias * double


def _rows(stack, blocks):
    """What one input gives to the gates of every layer: blocks (height, 4 * units) by layer, zeros to the others."""
    height = next(iter(blocks.values())).shape[0]
    return ops.concatenate(
        _by_gate([blocks.get(i, ops.zeros((height, 4 * layer.units))) for i, layer in enumerate(stack)]), axis=-1
    )


def _by_gate(blocks):
    """Blocks (..., 4 * units) of all layers, cut and put in the order gate by gate."""
    cut = [ops.split(ops.convert_to_tensor(block), 4, axis=-1) for block in blocks]
    return [gates[k] for k in range(4) for gates in cut]
