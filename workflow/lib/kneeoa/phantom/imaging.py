"""Make an image of a knee: DESS-like contrast, coil bias, texture, Rician noise, and differences
between scanners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.anatomy.frame import plane_wave
from kneeoa.phantom.anatomy.knee import Knee
from kneeoa.phantom.anatomy.render import signal
from kneeoa.phantom.anatomy.solids import Field
from kneeoa.phantom.anatomy.tissues import Tissue
from kneeoa.phantom.grid import Grid

# Relative signal of a water-excited double-echo steady state (DESS) at 3 T: fluid above cartilage,
# marrow and fat suppressed.
_DESS: dict[Tissue, float] = {
    Tissue.AIR: 0.0,
    Tissue.CORTEX: 0.06,
    Tissue.MARROW: 0.20,
    Tissue.CARTILAGE: 1.0,
    Tissue.MENISCUS: 0.15,
    Tissue.FLUID: 1.75,
    Tissue.MARROW_LESION: 0.72,
    Tissue.SKIN: 0.50,
    Tissue.FAT: 0.27,
    Tissue.MUSCLE: 0.56,
    Tissue.TENDON: 0.10,
    Tissue.VESSEL: 0.95,
    Tissue.SYNOVIUM: 0.42,
}
_TOP = 4095.0
"""Largest stored value: scanners deliver twelve bits."""


@dataclass(frozen=True)
class Scanner:
    """One scanner: its gain, contrast, noise and slice placement."""

    name: str
    gain: float
    """Stored value of the cartilage signal."""
    brightness: dict[Tissue, float]
    noise: float
    """Multiplies the configured noise."""
    tilt: tuple[float, float]
    """Degrees by which its protocol turns the slices about the vertical and the front-to-back
    axis.
    """
    medial_first: bool
    """Whether its first slice is the one nearest the other leg."""


def scanner(phantom: Phantom, number: int) -> Scanner:
    """Scanner ``number`` of the cohort; the first of three places its slices straight, the others
    obliquely.
    """
    # The last word makes these generators differ from those of the subjects.
    rng = np.random.default_rng(np.random.SeedSequence([phantom.seed, number, 0, 9]))
    brightness = {tissue: value * float(np.exp(rng.normal(0, 0.06))) for tissue, value in _DESS.items()}
    brightness[Tissue.CARTILAGE] = 1.0
    tilt = (0.0, 0.0) if number % 3 == 0 else (float(rng.uniform(2, 7) * rng.choice([-1, 1])), float(rng.uniform(-3, 3)))
    return Scanner(
        name=f"PHANTOM {chr(ord('A') + number % 26)}",
        gain=float(rng.uniform(350, 950)),
        brightness=brightness,
        noise=float(rng.uniform(0.8, 1.25)),
        tilt=tilt,
        medial_first=bool(number % 2),
    )


def acquire(knee: Knee, grid: Grid, machine: Scanner, phantom: Phantom, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Scan a knee: stored values, uint16, shape ``grid.shape``.

    ``m = gain * | s t b + n |`` with s the tissue's signal, t a fine texture, b the coil's bias
    field (peak ``phantom.bias``) and n complex Gaussian noise of standard deviation
    ``phantom.noise`` of the cartilage signal: the magnitude is Rician (Gudbjartsson and Patz 1995).
    """
    picture = signal(knee, grid, machine.brightness)
    picture *= _texture(grid, rng)
    picture *= _coil_bias(grid, phantom.bias, rng)
    deviation = np.float32(phantom.noise * machine.noise)
    real = rng.standard_normal(grid.shape, dtype=np.float32)
    imaginary = rng.standard_normal(grid.shape, dtype=np.float32)
    magnitude = np.hypot(picture + deviation * real, deviation * imaginary)
    gain = machine.gain * float(np.exp(rng.normal(0, 0.08)))
    stored: npt.NDArray[np.uint16] = np.clip(np.rint(magnitude * np.float32(gain)), 0, _TOP).astype(np.uint16)
    return stored


def _texture(grid: Grid, rng: np.random.Generator) -> Field:
    """Fine texture around 1: six waves of 5 to 16 mm, for trabeculae, muscle fibres and vessels."""
    total = np.ones(grid.shape, dtype=np.float32)
    for _ in range(6):
        direction = rng.standard_normal(3)
        vector = direction / np.linalg.norm(direction) * 2 * np.pi / rng.uniform(5, 16)
        total += np.float32(0.03) * plane_wave(grid, vector, rng.uniform(0, 2 * np.pi))
    return total


def _coil_bias(grid: Grid, peak: float, rng: np.random.Generator) -> Field:
    """A smooth field between ``1 - peak`` and ``1 + peak``: three waves longer than the picture."""
    total = np.zeros(grid.shape, dtype=np.float32)
    for _ in range(3):
        direction = rng.standard_normal(3)
        vector = direction / np.linalg.norm(direction) * 2 * np.pi / rng.uniform(180, 320)
        total += plane_wave(grid, vector, rng.uniform(0, 2 * np.pi))
    return np.float32(1) + np.float32(peak / 3) * total
