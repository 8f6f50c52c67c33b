"""Class-pose decomposition in plain PyTorch, as one would write it: the peer of the family's training step.

Source of the network and the loss: Marchetti et al., AISTATS 2023, arXiv 2207.03116.
"""

import itertools

import torch
from torch import nn
from torch.nn import functional

from benchmarks import peer_loop

TEMPERATURE, EXTRA = 0.8, 8


class Peer(nn.Module):
    """The encoder of five convolutions, with equivariance and InfoNCE.

    Args:
        channels: of the images.
        width: of the first convolution.
        rotations: whether the actions are rotations, or translations of `dims` numbers.
        dims: see `rotations`.
        batch_norm: after each convolution.
    """

    def __init__(self, channels=1, width=64, *, rotations=False, dims=3, batch_norm=False):
        super().__init__()
        self.rotations, self.batch_norm, self.action_dim = rotations, batch_norm, 3 if rotations else dims
        widths = (channels, width, width, 2 * width, 2 * width, 4 * width)
        parts = []
        for i, (fan, out) in enumerate(itertools.pairwise(widths)):
            parts.append(nn.Conv2d(fan, out, 4, *((2, 1) if i < 4 else ()), bias=not batch_norm))
            parts += [nn.BatchNorm2d(out), nn.ReLU()] if batch_norm else [nn.ReLU()]
        self.encoder = nn.Sequential(*parts, nn.Flatten(), nn.Linear(4 * width, self.action_dim + EXTRA))

    def forward(self, x, action, y):
        """The loss; x and y (batch, channels, 64, 64) in [0, 1]."""
        if self.batch_norm:  # each with its own statistics
            raw_x, raw_y = self.encoder(x), self.encoder(y)
        else:
            raw_x, raw_y = self.encoder(torch.cat([x, y])).chunk(2)
        return sum(self.terms(raw_x, action, raw_y))

    def terms(self, raw_x, action, raw_y):
        """Equivariance and InfoNCE of what the encoder puts out."""
        (p, e), (q, f) = (self.split(raw) for raw in (raw_x, raw_y))
        moved = action @ p if self.rotations else p + action
        similarity = e @ f.T / TEMPERATURE
        own = torch.arange(len(e), device=e.device)
        return functional.mse_loss(moved, q), functional.cross_entropy(similarity, own)

    def split(self, raw):
        """Pose and class."""
        v, e = raw[:, : self.action_dim], functional.normalize(raw[:, self.action_dim :])
        return (torch.matrix_exp(skew(v)) if self.rotations else v), e


def skew(v):
    """Skew-symmetric matrices (batch, 3, 3) of vectors (batch, 3)."""
    a, b, c = v.unbind(1)
    zero = torch.zeros_like(a)
    return torch.stack([zero, a, b, -a, zero, c, -b, -c, zero], dim=1).view(-1, 3, 3)


def run(triples, settings, wait, reply):
    """Trains for an epoch whenever `wait()` is true, and replies (seconds, mean loss).

    Args:
        triples: a dict of "x", "action" and "y" of an epoch, images uint8 (n, 64, 64, channels).
        settings: a dict with "batch", "width", "batch_norm", "threads" and "compiled".
    """
    device = peer_loop.begin(settings)
    x, y = (torch.from_numpy(triples[name]).permute(0, 3, 1, 2).contiguous().to(device) for name in "xy")
    x, y = x.float() / 255, y.float() / 255
    action = torch.from_numpy(triples["action"]).to(device)
    of_poses = {"rotations": action.ndim == 3, "dims": action.shape[-1]}
    peer = Peer(x.shape[1], settings["width"], **of_poses, batch_norm=settings["batch_norm"]).to(device)

    def batches():
        return zip(*(each.split(settings["batch"]) for each in (x, action, y)), strict=True)

    peer_loop.train(peer, batches, 1e-3, settings, wait, reply)
