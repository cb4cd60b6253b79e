"""One knee: its findings, its individual shape, and its pose in the patient's space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kneeoa.phantom.findings import Findings
from kneeoa.phantom.grid import rotation

HALF_STANCE = 22.0
"""Millimetres from the middle of the joint to the middle of a compartment."""


@dataclass(frozen=True)
class Shape:
    """Individual shape of a knee, unrelated to osteoarthritis. Millimetres and degrees in the
    knee's frame.
    """

    femoral_cartilage: float
    tibial_cartilage: float
    patellar_cartilage: float
    condyle_width: float
    groove_depth: float
    notch_width: float
    plateau_depth: float
    plateau_slope: float
    shaft: float
    patella_height: float
    patella_shift: float
    patella_size: float
    flexion: float
    varus: float
    girth: float
    fat: float
    muscle: float
    fluid: float


@dataclass(frozen=True)
class Wave:
    """A plane wave of the warp: displacement ``amplitude * sin(vector . p + phase)``, p in the
    knee's frame before the warp.
    """

    amplitude: tuple[float, float, float]
    vector: tuple[float, float, float]
    phase: float


@dataclass(frozen=True)
class Knee:
    """A knee in the patient's space.

    The knee's frame is x lateral, y anterior, z superior, in millimetres of a reference adult,
    origin in the middle of the joint line; a left knee is the same knee with x mirrored.
    ``to_frame`` maps RAS+ millimetres to it, before ``waves`` bend it.
    """

    side: str
    findings: Findings
    shape: Shape
    to_frame: npt.NDArray[np.float64]
    """4 x 4."""
    waves: tuple[Wave, ...]
    lesion_seed: int
    """Seed of the places and sizes of the marrow lesions."""

    @property
    def medial_space(self) -> float:
        """Distance between the bones in the medial compartment (mm)."""
        return self._space(self.findings.medial_narrowing)

    @property
    def lateral_space(self) -> float:
        """Distance between the bones in the lateral compartment (mm)."""
        return self._space(self.findings.lateral_narrowing)

    def remaining_cartilage(self, narrowing: float) -> float:
        """Share of the cartilage that remains after ``narrowing``."""
        return 1.0 - 0.85 * narrowing

    def _space(self, narrowing: float) -> float:
        return (self.shape.femoral_cartilage + self.shape.tibial_cartilage) * self.remaining_cartilage(narrowing) + 0.3


def make_knee(findings: Findings, side: str, size: float, variation: float, rng: np.random.Generator) -> Knee:
    """Make a knee with an individual shape and pose.

    Args:
        findings: its findings.
        side: ``L`` or ``R``.
        size: linear size relative to the reference adult (the subject's, shared by both knees).
        variation: strength of individual shape and pose; 0 gives the reference knee.
        rng: generator of this knee alone.
    """

    def vary(mean: float, deviation: float) -> float:
        return mean + variation * deviation * float(np.clip(rng.standard_normal(), -2.5, 2.5))

    cartilage = vary(1.0, 0.10)
    shape = Shape(
        femoral_cartilage=2.4 * cartilage * vary(1.0, 0.05),
        tibial_cartilage=2.5 * cartilage * vary(1.0, 0.05),
        patellar_cartilage=3.4 * cartilage * vary(1.0, 0.08),
        condyle_width=vary(1.0, 0.04),
        groove_depth=vary(4.5, 0.8),
        notch_width=vary(9.0, 0.9),
        plateau_depth=vary(1.6, 0.4),
        plateau_slope=vary(0.10, 0.03),
        shaft=vary(1.0, 0.07),
        patella_height=vary(33.0, 3.0),
        patella_shift=vary(1.0, 2.0),
        patella_size=vary(1.0, 0.06),
        flexion=vary(2.0, 3.0),
        varus=vary(0.0, 0.4),
        girth=vary(1.0, 0.06),
        fat=max(vary(6.0, 2.5), 1.5),
        muscle=vary(1.0, 0.08),
        fluid=abs(vary(0.10, 0.10)),
    )
    waves = tuple(
        Wave(
            amplitude=(vary(0.0, 0.45), vary(0.0, 0.45), vary(0.0, 0.35)),
            vector=_wave_vector(rng),
            phase=float(rng.uniform(0, 2 * np.pi)),
        )
        for _ in range(3)
    )
    scale = size * np.array([vary(1.0, 0.025), vary(1.0, 0.025), vary(1.0, 0.02)])
    turn = rotation(vary(0.0, 3.0), vary(0.0, 2.0), vary(0.0, 5.0))
    away = 82.0 if side == "R" else -82.0
    centre = np.array([vary(away, 6.0), vary(-4.0, 5.0), vary(-6.0, 6.0)])
    mirror = np.diag([1.0 if side == "R" else -1.0, 1.0, 1.0])
    to_frame = np.eye(4)
    to_frame[:3, :3] = np.diag(1 / scale) @ turn.T @ mirror
    to_frame[:3, 3] = -to_frame[:3, :3] @ centre
    return Knee(side, findings, shape, to_frame, waves, int(rng.integers(2**31)))


def _wave_vector(rng: np.random.Generator) -> tuple[float, float, float]:
    """A random direction with a wavelength between 60 and 110 mm: longer than a condyle, so bones
    bend and do not ripple.
    """
    direction = rng.standard_normal(3)
    vector = direction / np.linalg.norm(direction) * (2 * np.pi / rng.uniform(60, 110))
    return (float(vector[0]), float(vector[1]), float(vector[2]))
