"""Make an image of a knee: DESS-like contrast, coil bias, texture, Rician noise, and differences
between scanners; place the grids of image and mask in the patient's space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.anatomy.knee import Knee
from kneeoa.phantom.anatomy.layers import Tissue
from kneeoa.phantom.anatomy.render import plane_wave, signal
from kneeoa.phantom.anatomy.solids import Field
from kneeoa.phantom.grid import Grid, rotation
from kneeoa.phantom.plan import MaskGrid, PlannedKnee

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

_AIM = np.array([0.0, -5.0, 9.0])
"""Intended centre of the image, in the knee's frame (mm): a little behind and above the joint
line.
"""
_AXIS_OF = {"R": 0, "L": 0, "I": 1, "S": 1, "P": 2, "A": 2}


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


def image_grid(planned: PlannedKnee, knee: Knee, machine: Scanner, phantom: Phantom, rng: np.random.Generator) -> Grid:
    """The sagittal grid of an acquisition.

    A DICOM series has the axes (slice, row, column) with rows running down and columns to the back;
    a NIfTI file has the order that its converter chose. The scanner's protocol and the technician's
    positioning turn and shift the grid.
    """
    from_frame = np.linalg.inv(knee.to_frame)
    hand = phantom.variation * np.array([2.0, 3.0, 3.0]) * np.clip(rng.standard_normal(3), -2, 2)
    centre = from_frame[:3, :3] @ _AIM + from_frame[:3, 3] + hand
    turn = rotation(0.0, machine.tilt[1] + float(rng.uniform(-1, 1)), machine.tilt[0] + float(rng.uniform(-1, 1)))
    medial = "L" if planned.side == "R" else "R"
    lateral = planned.side
    dicom = (lateral if machine.medial_first else medial) + "IP"
    return _grid(centre, phantom.shape, phantom.spacing, dicom if planned.image_format == "dicom" else planned.image_axes, turn)


def mask_grid(image: Grid, mask: MaskGrid) -> Grid:
    """The grid of a mask: its image's centre, but its own axes, voxel size, extent and tilt."""
    # The image's shape and spacing in the order right, inferior, posterior, whatever the order of
    # its array axes.
    order = np.argmax(np.abs(image.directions), axis=1)[[0, 2, 1]]
    extent = (np.asarray(image.shape) * image.spacing)[order] * np.asarray(mask.crop)
    spacing = image.spacing[order] * np.asarray(mask.scale)
    shape = tuple(int(count) for count in np.maximum(np.rint(extent / spacing), 1))
    centre = image.affine[:3, :3] @ ((np.asarray(image.shape) - 1) / 2) + image.affine[:3, 3]
    return _grid(centre, (shape[0], shape[1], shape[2]), spacing, mask.axes, rotation(*mask.tilt))


def _grid(
    centre: npt.NDArray[np.float64], shape: tuple[int, int, int], spacing: npt.ArrayLike, axes: str, turn: npt.NDArray[np.float64]
) -> Grid:
    """A grid from shape and spacing in the order right, inferior, posterior."""
    order = [_AXIS_OF[letter] for letter in axes]
    size = np.asarray(spacing, dtype=np.float64)[order]
    return Grid.centred(centre, (shape[order[0]], shape[order[1]], shape[order[2]]), size, axes, turn)
