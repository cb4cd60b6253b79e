"""Choose the device, and set torch to give the same results every time."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import resource
import sys
from collections.abc import Iterator

import torch

logger = logging.getLogger(__name__)

MALLOC = ((-4, 0), (-1, 2**31 - 1), (-2, 2**26))
"""Parameters of glibc's mallopt and their values: M_MMAP_MAX (no separate mappings),
M_TRIM_THRESHOLD and M_TOP_PAD (bytes).
"""


@contextlib.contextmanager
def reproducible(threads: int, *, compiled: bool = False) -> Iterator[torch.device]:
    """Yield the device (CUDA where there is one, else the CPU) with deterministic algorithms and a
    fixed number of threads.

    On a CPU equal inputs give equal bytes, and an operation without a deterministic form raises. On
    CUDA such an operation only warns, as some (3D pooling backwards) have none: results there agree
    to rounding. The settings, and the global generator's state, are restored afterwards.

    Args:
        threads: intra-operation threads; sums are split by it, so it is configuration and never the
            machine's core count.
        compiled: also set torch's compiler, whose import takes longer than torch's own.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts; without it its sums may vary
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    before = torch.get_num_threads()
    mode = torch.get_deterministic_debug_mode()
    with contextlib.suppress(RuntimeError):  # allowed only once per process, before any parallel work
        torch.set_num_interop_threads(1)
    torch.set_num_threads(threads)
    if compiled:
        torch.use_deterministic_algorithms(True)
    torch.set_deterministic_debug_mode("warn" if device.type == "cuda" else "error")
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a tenth of a step
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield device
    finally:
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
        torch.set_num_threads(before)
        if compiled:
            torch.use_deterministic_algorithms(False)
        torch.set_deterministic_debug_mode(mode)


@contextlib.contextmanager
def precision(name: str, device: torch.device) -> Iterator[None]:
    """Set the precision of a network's arithmetic while it is trained on a GPU; a CPU always
    computes in float32.

    ``float32``: TF32 on tensor cores for convolutions and matrix products (10 bits of mantissa, the
    same every time). ``bfloat16``: autocast, and cuDNN times its convolutions first and takes the
    fastest: equal runs then agree to rounding.
    """
    if device.type != "cuda":
        yield
        return
    matrices, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = matrices.fp32_precision, convolutions.fp32_precision, torch.backends.cudnn.benchmark
    matrices.fp32_precision = convolutions.fp32_precision = "tf32"
    torch.backends.cudnn.benchmark = name == "bfloat16"
    try:
        with torch.autocast("cuda", torch.bfloat16, enabled=name == "bfloat16"):
            yield
    finally:
        matrices.fp32_precision, convolutions.fp32_precision, torch.backends.cudnn.benchmark = before


def keep_freed_memory() -> bool:
    """Make the C library keep memory that this process frees, so that the next step's tensors reuse
    it; returns whether it does.

    By default glibc maps pages for each tensor and returns them when it is freed; faulting them in
    again takes part of every training step.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # another C library has none
    if mallopt is None:
        return False
    return all(mallopt(parameter, value) == 1 for parameter, value in MALLOC)


def device_name(device: torch.device) -> str:
    """Name of the device, for the record of a run."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def peak_memory_mb(device: torch.device) -> dict[str, float]:
    """Peak memory so far in MB (10^6 bytes): of the process, and on CUDA also of the device's
    tensors.
    """
    unit = 1 if sys.platform == "darwin" else 1024  # kilobytes on Linux, bytes on macOS
    peak = {"process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6}
    if device.type == "cuda":
        peak["device"] = torch.cuda.max_memory_allocated(device) / 1e6
    return peak
