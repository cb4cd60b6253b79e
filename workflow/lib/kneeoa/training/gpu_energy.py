"""Energy and driver version of an NVIDIA GPU, from its management library (NVML), which comes with
the driver and needs no package.

NVML API reference: ``nvmlDeviceGetTotalEnergyConsumption`` counts millijoules since the driver was
loaded, on Volta and later.
"""

from __future__ import annotations

import ctypes
from functools import cache

import torch

_LIBRARY = "libnvidia-ml.so.1"


def total_joules(device: torch.device) -> float | None:
    """Energy in joules that the device has used since its driver was loaded; None where it is not
    measured (a CPU, an old GPU, a slice of one).
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


def driver_version(device: torch.device) -> str | None:
    """Version of the device's driver; None on a CPU, or where it is not reported."""
    library = _library() if device.type == "cuda" else None
    text = ctypes.create_string_buffer(96)
    if library is None or library.nvmlSystemGetDriverVersion(text, ctypes.c_uint(len(text))):
        return None
    return text.value.decode()


@cache
def _library() -> ctypes.CDLL | None:
    """The initialised library; None where there is none. Its functions return 0 on success."""
    try:
        library = ctypes.CDLL(_LIBRARY)
        return library if library.nvmlInit_v2() == 0 else None
    except (OSError, AttributeError):
        return None


def _uuid(device: torch.device) -> str:
    """UUID of the device, as jobs number their GPUs differently from the driver."""
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
