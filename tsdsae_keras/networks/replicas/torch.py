"""Replicas on PyTorch: a process each, in the default group of `torch.distributed`."""

import torch
import torch.distributed as dist


def count():
    """Processes of the group; 1 where there is none."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def index():
    """The rank of this process."""
    return dist.get_rank()


class _Gather(torch.autograd.Function):
    """All rows; the way back adds what all replicas say of this one's."""

    @staticmethod
    def forward(ctx, x):
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(count())]
        dist.all_gather(parts, x.contiguous())
        ctx.rows = len(x)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, d_whole):
        d_whole = d_whole.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(d_whole)
        return d_whole[index() * ctx.rows : (index() + 1) * ctx.rows]


class _Average(torch.autograd.Function):
    """The average, there and back."""

    @staticmethod
    def forward(ctx, x):
        x = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(x)
        return x / count()

    @staticmethod
    def backward(ctx, d_whole):
        return _Average.apply(d_whole)


gather, average = _Gather.apply, _Average.apply
