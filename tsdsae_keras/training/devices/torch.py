"""Devices of PyTorch: a process each, in a group of `torch.distributed`, over NCCL on GPUs and Gloo on processors."""

from datetime import timedelta

import torch
import torch.distributed as dist

from tsdsae_keras.errors import InputError
from tsdsae_keras.training.devices.one import OneDevice
from tsdsae_keras.training.devices.parts import leave_gpus, part_of

PATIENCE = timedelta(minutes=30)  # for another process, which may still prepare data


class Devices(OneDevice):
    """The device of this process, one among those of the group."""

    def __init__(self, asked, place):
        self.rank, self.count, self.processes = place.rank, place.processes, place.processes
        self.device = "cpu"
        leave_gpus()
        if torch.cuda.is_available():
            if place.local_rank >= torch.cuda.device_count():
                found = torch.cuda.device_count()
                raise InputError(
                    f"--devices asks for {place.local_rank + 1} GPUs here, and there are {found}; take at most that"
                )
            torch.cuda.set_device(place.local_rank)
            self.device = "cuda"
        if place.processes > 1:
            dist.init_process_group(
                "nccl" if self.device == "cuda" else "gloo",
                init_method=f"tcp://{place.address}",
                rank=place.rank,
                world_size=place.processes,
                timeout=PATIENCE,
            )

    def training_data(self, stream):
        return part_of(stream, self.rank, self.processes)

    def agree(self, number):
        if self.processes == 1:
            return number
        largest = torch.tensor([number], device=self.device)
        dist.all_reduce(largest, op=dist.ReduceOp.MAX)
        return int(largest)

    def wait(self):
        self.agree(0)  # a barrier, which on a GPU also waits for what was computed

    def close(self):
        if self.processes > 1:
            dist.destroy_process_group()
