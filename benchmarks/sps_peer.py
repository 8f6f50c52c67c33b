"""Physical symmetry for music in plain PyTorch, as one would write it: the peer of the family's training step.

Source of the networks and the loss: Liu, Chin, Huang, Xia, NeurIPS 2023, arXiv 2302.10890.
"""

import itertools
import math

import torch
from torch import nn
from torch.nn import functional

from benchmarks import peer_loop

REACH, BASE_LEN = 4.0, 3
SLOPE, DELAY = 2200.0, 8000.0
KLD, PRIOR, SYMMETRY = 0.01, 2.0, 4.0
KERNELS = ((5, 2, 1), (8, 4, 2), (4, 2, 1), (4, 2, 1))  # size, stride, padding, along the bins
ROWS = 16  # of 513 bins after the convolutions


class Peer(nn.Module):
    """Encoder, decoder and prior for notes (5, 513), one latent, translations, with the faithful sampler.

    The authors' convolutions are two-dimensional, with the 5 frames of a note as the width of the first kernel. As one-
    dimensional ones, with the frames as channels, they are the same and several times as fast on a CPU.

    Args:
        channels: of the four convolutions.
        units: widths of the decoder's dense layers.
        hidden: units of the prior.
        copies: K.
        scale: of the encoder's input.
        mean_frame: (5, 513), taken off the input and put back by the decoder, or None.
    """

    def __init__(self, channels, units, hidden=256, copies=4, scale=1.0, mean_frame=None):
        super().__init__()
        self.copies, self.scale, last = copies, scale, channels[-1]
        self.register_buffer("mean_frame", mean_frame, persistent=False)
        there = list(zip(itertools.pairwise((5, *channels)), KERNELS, strict=True))
        back = [nn.ConvTranspose1d(b, a, *kernel, bias=a != 5) for (a, b), kernel in there[::-1]]
        self.encoder = nn.Sequential(*_with_relu([nn.Conv1d(a, b, *kernel) for (a, b), kernel in there]), nn.ReLU())
        self.fc11, self.fc12 = nn.Linear(ROWS * last, 1), nn.Linear(ROWS * last, 1)
        self.rnn, self.fc2 = nn.RNNCell(1, hidden), nn.Linear(hidden, 1)
        self.fc3 = nn.Sequential(
            *_with_relu([nn.Linear(a, b) for a, b in itertools.pairwise((1, *units, ROWS * last))])
        )
        self.decoder = nn.Sequential(*_with_relu(back))
        self.output_bias = nn.Parameter(torch.zeros(1))  # one for all frames of a note

    def forward(self, x, true_code):
        """The loss of a batch (batch, time, 5, 513), where the prior sees a true code with that probability."""
        n, time = x.shape[:2]
        eps = torch.randn(n, time, 1, device=x.device)
        fed = torch.rand(2, time, device=x.device) > true_code
        fed[:, :BASE_LEN] = False
        shift = REACH * (2 * torch.rand(self.copies * n, 1, 1, device=x.device) - 1)
        return sum(self.terms(x, eps, fed[0], fed[1], shift).values()) / n

    def terms(self, x, eps, fed, fed_moved, shift):
        """{name: sum} of all terms, weighted.

        Args:
            x: (batch, time, 5, 513).
            eps: (batch, time, 1).
            fed, fed_moved: (time,), where the prior sees its own prediction, of both passes.
            shift: (K * batch, 1, 1).
        """
        mean, log_var = self.encode(x)
        z = mean + 0.5 * eps * log_var.exp()
        copies = self.copies
        plain = self.predict(z, fed)
        moved = self.predict(z.repeat(copies, 1, 1) + shift, fed_moved) - shift
        logits = self.decode(torch.cat([each.flatten(0, 1) for each in (z, plain, moved)]))
        recon, prior, symmetric = logits.split([each.shape[0] * each.shape[1] for each in (z, plain, moved)])
        after, target = x[:, 1:], z[:, 1:]
        return {
            "recon": bce(recon, x),
            "kld": -0.5 * KLD * (1 + log_var - mean**2 - log_var.exp()).sum(),
            "prior_recon": bce(prior, after),
            "prior_z": PRIOR * (plain - target).pow(2).sum(),
            "symm_z": SYMMETRY / copies * (moved - target.repeat(copies, 1, 1)).pow(2).sum(),
            "symm_recon": bce(symmetric, after.repeat(copies, 1, 1, 1)) / copies,
        }

    def encode(self, x):
        """Mean and log-variance (batch, time, 1)."""
        flat = x.flatten(0, 1)
        flat = (flat if self.mean_frame is None else flat - self.mean_frame) * self.scale
        features = self.encoder(flat).flatten(1)
        return tuple(head(features).view(*x.shape[:2], 1) for head in (self.fc11, self.fc12))

    def predict(self, z, fed):
        """What the prior says of z_2:T, (batch, time - 1, 1)."""
        h, output, outputs = z.new_zeros(len(z), self.rnn.hidden_size), z[:, 0], []
        for t in range(z.shape[1] - 1):
            h = self.rnn(torch.where(fed[t], output, z[:, t]), h)
            output = self.fc2(h)
            outputs.append(output)
        return torch.stack(outputs, dim=1)

    def decode(self, z):
        """Logits (n, 5, 513) of codes (n, 1)."""
        logits = self.decoder(self.fc3(z).view(len(z), -1, ROWS)) + self.output_bias
        return logits if self.mean_frame is None else logits + torch.logit(self.mean_frame)


def true_code_probability(step):
    """The published schedule."""
    return SLOPE / (SLOPE + math.exp((step + DELAY) / SLOPE))


def bce(logits, x):
    """The sum of the cross-entropies of frames; both hold the same frames in the same order."""
    return functional.binary_cross_entropy_with_logits(logits, x.reshape(logits.shape), reduction="sum")


def _with_relu(layers):
    """The layers with ReLU between them."""
    return [part for layer in layers for part in (layer, nn.ReLU())][:-1]


def run(x, settings, wait, reply):
    """Trains for an epoch whenever `wait()` is true, and replies (seconds, mean loss).

    Args:
        x: sequences (n, time, 5, 513), of which each step draws a batch.
        settings: a dict with "batch", "steps", "channels", "units", "hidden", "copies", "scale", "speed" of the
            schedule, "center", "threads" and "compiled".
    """
    device = peer_loop.begin(settings)
    x = torch.from_numpy(x).to(device)
    mean_frame = x.mean((0, 1)).clamp(1e-3, 1 - 1e-3) if settings["center"] else None
    sizes = (settings[name] for name in ("channels", "units", "hidden", "copies", "scale"))
    peer, steps = Peer(*sizes, mean_frame).to(device), itertools.count()

    def batches():
        for step in itertools.islice(steps, settings["steps"]):
            rows = torch.randperm(len(x), device=device)[: settings["batch"]]
            yield x[rows], torch.tensor(true_code_probability(step * settings["speed"]), device=device)

    peer_loop.train(peer, batches, 2e-3, settings, wait, reply)
