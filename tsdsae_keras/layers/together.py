"""A stack of LSTM layers in one loop over time instead of one loop a layer.

Each layer runs a frame behind the one below, so that in one step all layers can advance at once, from one matrix
product: the loop is as long as the sequence instead of as long as the sequence times the layers.
"""

from keras import layers, ops

SHUT = -1e4  # added to an input gate, it keeps the gate at exactly 0 and with it the cell and the output


def run_together(stack, x):
    """Outputs of the last of a stack of `keras.layers.LSTM`: (batch, time, in) -> (batch, time, units).

    Equal to calling the layers one after the other (default activations, no mask).

    Args:
        stack: built layers, each fed by the one before.
        x: (batch, time, in).
    """
    lag, width = len(stack) - 1, stack[-1].units
    x = ops.concatenate([ops.pad(x, [[0, 0], [0, lag], [0, 0]]), _shut_flags(x, lag)], axis=-1)
    # Keras's RNN is used as a loop over time on every backend; it owns nothing and is gone after the call.
    outputs = layers.RNN(_JoinedCell(stack), return_sequences=True)(x)
    return outputs[:, lag:, -width:]


class _JoinedCell(layers.Layer):
    """One step of all layers: [frame, flags, outputs] times one matrix gives all gates."""

    def __init__(self, stack):
        super().__init__()
        units = sum(layer.units for layer in stack)
        self.state_size, self.output_size = [units, units], units
        self.matrix, self.bias = _joined_weights(stack)
        self.built = True

    def call(self, inputs, states):
        output, cell = states
        gates = ops.matmul(ops.concatenate([inputs, output], axis=-1), self.matrix) + self.bias
        enter, keep, new, leave = ops.split(gates, 4, axis=-1)
        cell = ops.sigmoid(keep) * cell + ops.sigmoid(enter) * ops.tanh(new)
        output = ops.sigmoid(leave) * ops.tanh(cell)
        return output, [output, cell]


def _shut_flags(x, lag):
    """(batch, time + lag, lag): flag l is 1 in the first l + 1 frames, before the first input reaches layer l + 1."""
    batch, time = ops.shape(x)[0], ops.shape(x)[1]
    flags = ops.arange(time + lag)[:, None] <= ops.arange(lag)[None, :]
    return ops.broadcast_to(ops.cast(flags, x.dtype)[None], (batch, time + lag, lag))


def _joined_weights(stack):
    """The matrix (in + flags + units, 4 * units) and the bias of all layers; columns by gate, then by layer."""
    rows = [_rows(stack, {0: stack[0].cell.kernel})]
    for i, layer in enumerate(stack[1:], start=1):
        shut = ops.concatenate([ops.full((1, layer.units), SHUT), ops.zeros((1, 3 * layer.units))], axis=-1)
        rows.append(_rows(stack, {i: shut}))
    for i, layer in enumerate(stack):
        above = {i + 1: stack[i + 1].cell.kernel} if i + 1 < len(stack) else {}
        rows.append(_rows(stack, {i: layer.cell.recurrent_kernel} | above))
    bias = ops.concatenate(_by_gate([layer.cell.bias for layer in stack]), axis=-1)
    return ops.concatenate(rows, axis=0), bias


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
