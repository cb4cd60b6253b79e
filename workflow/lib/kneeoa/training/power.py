"""Energy and driver of an NVIDIA GPU, asked of its management library (NVML), which comes with the
driver and needs no package.

NVML API reference: ``nvmlDeviceGetTotalEnergyConsumption`` counts millijoules since the driver was
loaded, on Volta and later.
"""

from __future__ import annotations

import ctypes
from functools import cache

import torch

_LIBRARY = "libnvidia-ml.so.1"


def joules(device: torch.device) -> float | None:
    """What the device has used since its driver was loaded; None where nothing counts it (a CPU, an
    old GPU, a slice of one).
    """
    library = _library() if device.type == "cuda" else None
    if library is None:
        return None
    handle, used = ctypes.c_void_p(), ctypes.c_ulonglong()
    if library.nvmlDeviceGetHandleByUUID(_uuid(device).encode(), ctypes.byref(handle)):
        return None
    if library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(used)):
        return None
    return used.value / 1000.0


def driver(device: torch.device) -> str | None:
    """Version of the device's driver; None on a CPU, or where it does not tell."""
    library = _library() if device.type == "cuda" else None
    text = ctypes.create_string_buffer(96)
    if library is None or library.nvmlSystemGetDriverVersion(text, ctypes.c_uint(len(text))):
        return None
    return text.value.decode()


@cache
def _library() -> ctypes.CDLL | None:
    """The library, ready for questions; None where there is none. Every function of it returns 0
    where it worked.
    """
    try:
        library = ctypes.CDLL(_LIBRARY)
        return library if library.nvmlInit_v2() == 0 else None
    except (OSError, AttributeError):
        return None


def _uuid(device: torch.device) -> str:
    """The device's own name, as jobs see their GPUs under other numbers than the driver."""
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
