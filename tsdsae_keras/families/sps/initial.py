"""Initial weights of the networks.

"pytorch": uniform in +-1/sqrt(fan), biases too, as the published code leaves them. With these, and frames as faint as
those of a soft instrument, the codes of a short run stay at a deviation of 1e-3 for hundreds of steps under a sampling
noise of 0.5. "he": He-uniform kernels and zero biases keep the scale from layer to layer, and a log-variance near a
constant lets the codes be heard over the noise from the first step on.
"""

import math

from keras import layers, ops, random

SMALL = 0.1  # of the log-variance head, relative to a PyTorch layer


def draw_initial(model, kind, seed=None):
    """Redraws all weights of a model's encoder, decoder and prior.

    Args:
        model: `SPS`, built.
        kind: "he" or "pytorch".
        seed: an integer; None takes Keras's global seed.
    """
    seed = random.SeedGenerator(seed)
    parts = [model.encoder, model.decoder, *([model.transition] if model.prior else [])]
    for layer in (layer for part in parts for layer in part._flatten_layers(include_self=False)):
        _draw(layer, kind, seed)
    _fill(model.decoder.output_bias, 1 / math.sqrt(_fans(model.decoder.output_layer)[1]) * (kind == "pytorch"), seed)
    if kind == "he":
        head = model.encoder.log_var
        _fill(head.kernel, SMALL / math.sqrt(head.kernel.shape[0]), seed)
        head.bias.assign(ops.full(head.bias.shape, model.log_var_bias))
        if model.domain == "video":
            # Every code then decodes to the mean frame. A decoder that paints at random is ten times as far from the
            # frames as that, on which the ball is a few pixels, and unlearns to look at the codes before all else.
            _fill(model.decoder.output_layer.kernel, 0.0, seed)


def _draw(layer, kind, seed):
    if isinstance(layer, (layers.SimpleRNNCell, layers.GRUCell)):
        limit = 1 / math.sqrt(layer.units)
        for weight in layer.trainable_weights:
            _fill(weight, limit, seed)
        # The published cell has two bias vectors, and their sum is what acts.
        if isinstance(layer, layers.SimpleRNNCell):
            layer.bias.assign(layer.bias + random.uniform(layer.bias.shape, -limit, limit, seed=seed))
    elif hasattr(layer, "kernel"):
        true, pytorch = _fans(layer)
        _fill(layer.kernel, math.sqrt(6 / true) if kind == "he" else 1 / math.sqrt(pytorch), seed)
        if layer.use_bias:
            _fill(layer.bias, 0.0 if kind == "he" else 1 / math.sqrt(pytorch), seed)


def _fans(layer):
    """How many inputs an output adds up, and the number that PyTorch takes for it."""
    *positions, first, second = layer.kernel.shape
    area = math.prod(positions)
    if isinstance(layer, (layers.Conv1DTranspose, layers.Conv2DTranspose)):  # kernel (..., out, in)
        return area * second / math.prod(layer.strides), area * first
    return area * first, area * first


def _fill(weight, limit, seed):
    weight.assign(random.uniform(weight.shape, -limit, limit, seed=seed) if limit else ops.zeros(weight.shape))
