"""Time, energy and memory that a run has used so far, over all of its jobs. No result depends on
them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch

from kneeoa.training.device import device_name, peak_memory_mb
from kneeoa.training.gpu_energy import total_joules


@dataclass
class Cost:
    """Sums over the jobs of a run; a job's part since its last written state is lost with it."""

    seconds: float = 0.0
    """Wall time, reading of data included."""
    training: float = 0.0
    """Seconds in the steps of training."""
    validation: float = 0.0
    """Seconds of validation."""
    waited: float = 0.0
    """Seconds in which training waited for data, over finished epochs."""
    cases: int = 0
    """Cases trained on, each counted as often as it occurred."""
    resumptions: int = 0
    """Number of times that a job resumed the run from another's state."""
    energy_joules: float | None = None
    """Energy of the whole device; None where it does not measure it."""
    peak_memory_mb: dict[str, float] = field(default_factory=dict)
    """Largest memory of any job: of the process, and of the device's tensors (MB = 10^6 bytes)."""
    devices: list[str] = field(default_factory=list)
    """Every device that the run used, in order."""


class Meter:
    """Adds what has been used since its last reading to a :class:`Cost`."""

    def __init__(self, device: torch.device, started: float) -> None:
        """Start measuring ``device`` at ``started`` (``time.monotonic``)."""
        self._device = device
        self._seconds = started
        self._joules = total_joules(device)

    def read(self, cost: Cost) -> None:
        """Add to ``cost`` what has been used since the last reading."""
        now, energy = time.monotonic(), total_joules(self._device)
        cost.seconds += now - self._seconds
        if energy is not None and self._joules is not None:
            cost.energy_joules = (cost.energy_joules or 0.0) + energy - self._joules
        self._seconds, self._joules = now, energy
        for name, value in peak_memory_mb(self._device).items():
            cost.peak_memory_mb[name] = max(value, cost.peak_memory_mb.get(name, 0.0))
        if (name := device_name(self._device)) not in cost.devices:
            cost.devices.append(name)
