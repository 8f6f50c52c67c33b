"""The training loop of plain PyTorch peers, as one would write it."""

import time

import torch


def begin(settings):
    """Fixes seed and threads; the device to train on."""
    torch.manual_seed(0)
    torch.set_num_threads(settings["threads"])
    return "cuda" if torch.cuda.is_available() else "cpu"


def train(peer, batches, rate, settings, wait, reply):
    """Trains for an epoch whenever `wait()` is true, and replies (seconds, mean loss).

    Args:
        peer: a module that gives the loss of a batch.
        batches: a function that gives those of an epoch, each a tuple of what `peer` takes.
        rate: of Adam.
        settings: a dict with "compiled".
    """
    loss_of = torch.compile(peer) if settings["compiled"] else peer
    optimizer = torch.optim.Adam(peer.parameters(), lr=rate, eps=1e-8, fused=True)
    while wait():
        start, losses = time.perf_counter(), []
        for batch in batches():
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(*batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        mean = torch.stack(losses).mean().item()
        reply(time.perf_counter() - start, mean)
