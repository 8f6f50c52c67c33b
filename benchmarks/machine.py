"""What a figure depends on besides the code: processor, cores, versions, device; and the memory held at most."""

import os
import platform
from importlib import metadata
from pathlib import Path

PACKAGES = ("tsdsae-keras", "keras", "tensorflow", "jax", "jaxlib", "torch", "numpy")


def memory_peak(kind):
    """{"device": its name, "memory": bytes at the peak}: on a GPU those of the backend, else those of the process."""
    device, peak = _gpu(kind) or (platform.processor() or platform.machine(), _resident_peak())
    return {"device": device, "memory": peak}


def _gpu(kind):
    """(name, bytes at the peak) of the GPU in use, or None."""
    if kind in ("torch", "peer"):
        import torch

        return (torch.cuda.get_device_name(), torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else None
    if kind == "jax":
        import jax

        device = jax.devices()[0]
        on_gpu = device.platform == "gpu"
        return (device.device_kind, device.memory_stats()["peak_bytes_in_use"]) if on_gpu else None
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    if not found:
        return None
    name = tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU")
    return name, tf.config.experimental.get_memory_info("GPU:0")["peak"]


def _resident_peak():
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):  # no Linux
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def machine():
    """What a figure depends on besides the code: processor, cores, versions."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": found,
    }


def processor():
    """Its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
