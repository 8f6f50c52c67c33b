"""LSTM layers on JAX with a backward loop of their own, on the processor, and products whose sums stay in float32.

The loop is given the gates and the states that went in, and works out all that a frame gives, the shares of the weights
too, in one turn; the one that JAX derives took nearly three times as long.
"""

import jax
import jax.numpy as jnp


def serves(x):
    """In float32 on the processor; a GPU goes the general way, whose loop is half as long."""
    return x.dtype == jnp.float32 and jax.default_backend() == "cpu"


def slow_convolutions():
    """XLA's strided convolutions, and above all their gradients, are slow on the processor."""
    return jax.default_backend() == "cpu"


def run_natively(stack, x):
    """Outputs of the last of a stack of `keras.layers.LSTM`: (batch, time, in) -> (batch, time, units).

    Equal to calling the layers one after the other (default activations, no mask).

    Args:
        stack: built layers, each fed by the one before.
        x: (batch, time, in).
    """
    frames = jnp.swapaxes(x, 0, 1)
    for layer in stack:
        double = jnp.repeat(jnp.array([1.0, 1.0, 2.0, 1.0]), layer.units)
        cell = layer.cell
        frames = _lstm(frames, *(weight.value * double for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)))
    return jnp.swapaxes(frames, 0, 1)


@jax.custom_vjp
def _lstm(x, kernel, recurrent, bias):
    """(time, batch, in) -> (time, batch, units). Columns of the cell's new content are doubled, so that one sigmoid
    serves all gates: tanh(a) = 2 sigmoid(2 a) - 1."""
    return _forward(x, kernel, recurrent, bias)[0]


def _forward(x, kernel, recurrent, bias):
    """Of every frame the output, and what the way back needs: states that went in, and gates."""

    def advance(states, frame):
        output, cell = states
        gates = 0.5 * jnp.tanh(0.5 * (frame @ kernel + output @ recurrent + bias)) + 0.5
        i, f, g, o = jnp.split(gates, 4, -1)
        cell = f * cell + i * (2.0 * g - 1.0)
        states, before = (o * jnp.tanh(cell), cell), states
        return states, (states[0], *before, gates)

    start = jnp.zeros((x.shape[1], recurrent.shape[0]), x.dtype)
    return jax.lax.scan(advance, (start, start), x)[1]


def _with_residuals(x, kernel, recurrent, bias):
    outputs, *kept = _forward(x, kernel, recurrent, bias)
    return outputs, (x, kernel, recurrent, kept)


def _backward(residuals, d_outputs):
    x, kernel, recurrent, kept = residuals

    def go_back(carry, frame):
        (d_output, d_cell), sums = carry
        d_this_output, x, output, cell, gates = frame
        i, f, g, o = jnp.split(gates, 4, -1)
        content = 2.0 * g - 1.0
        tanh_cell = jnp.tanh(f * cell + i * content)
        d_output = d_output + d_this_output
        d_cell = d_cell + d_output * o * (1.0 - tanh_cell * tanh_cell)
        d_gates = [d_cell * content, d_cell * cell, 2.0 * d_cell * i, d_output * tanh_cell]
        d_gates = jnp.concatenate([d * gate * (1.0 - gate) for d, gate in zip(d_gates, (i, f, g, o), strict=True)], -1)
        shares = x.T @ d_gates, output.T @ d_gates, jnp.sum(d_gates, 0)
        sums = [total + share for total, share in zip(sums, shares, strict=True)]
        return ((d_gates @ recurrent.T, d_cell * f), sums), d_gates @ kernel.T

    start = jnp.zeros_like(d_outputs[0])
    sums = [jnp.zeros_like(kernel), jnp.zeros_like(recurrent), jnp.zeros_like(kernel[0])]
    (_, sums), d_x = jax.lax.scan(go_back, ((start, start), sums), (d_outputs, x, *kept), reverse=True)
    return d_x, *sums


_lstm.defvjp(_with_residuals, _backward)


def linear(x, kernel, bias):
    """(n, in), (in, out), (out,) or None -> (n, out), float32: x kernel + bias.

    Asked for bfloat16 factors and a bfloat16 product, XLA takes 1.6 times as long on a processor as for float32.
    """
    product = jax.lax.dot(x, kernel, preferred_element_type=jnp.float32)
    return product if bias is None else product + bias
