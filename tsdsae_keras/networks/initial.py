"""Initial weights: Keras's own, with which training is faster, or PyTorch's, of the published figures.

Keras: Glorot-uniform matrices, orthogonal recurrent ones, zero biases, 1 at the forget gates. PyTorch: uniform in
+-1/sqrt(fan), fan being the inputs of a linear layer and the units of an LSTM, whose two biases add up.
"""

from keras import layers, random


def draw_as_pytorch(layer, seed=None):
    """Redraws the weights of all Dense and LSTM layers in a layer, as PyTorch does.

    Args:
        layer: built.
        seed: an integer or a `keras.random.SeedGenerator`; None takes Keras's global seed.
    """
    seed = random.SeedGenerator(seed) if seed is None or isinstance(seed, int) else seed
    for part in layer._flatten_layers():
        if isinstance(part, layers.Dense):
            _draw(part.kernel, part.kernel.shape[0], seed)
            _draw(part.bias, part.kernel.shape[0], seed)
        elif isinstance(part, layers.LSTM):
            _draw(part.cell.kernel, part.units, seed)
            _draw(part.cell.recurrent_kernel, part.units, seed)
            _draw(part.cell.bias, part.units, seed, draws=2)


def _draw(variable, fan, seed, draws=1):
    limit = fan**-0.5
    variable.assign(sum(random.uniform(variable.shape, -limit, limit, seed=seed) for _ in range(draws)))
