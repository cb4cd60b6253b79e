"""Plan the people of a phantom cohort and their files. Cheap enough to be called while the
workflow's rules are read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.faults import BY_NAME, FAULTS, Fault
from kneeoa.phantom.findings import Findings, draw_findings
from kneeoa.phantom.labelling import read_grade, true_grade

VISIT = "00m"
_FIRST_FAULTY = 1_000_000
"""Index of the first subject with a fault: beyond those without, so that neither kind shifts the
other.
"""
_KNEE_CORRELATION = 0.6
"""Correlation of the latent severities (on a normal scale) of a person's two knees."""
_SEVERITY_EXPONENT = 1.3
"""Severity is u to this power, u uniform: half of the knees lie above the second cut of the default
rater (0.4).
"""
_MASK_AXES = ("RAS", "LPI", "PSR", "LPS", "RIP", "ASL")
_IMAGE_AXES = ("RAS", "LPS", "PSR", "RIP", "AIL")


@dataclass(frozen=True, slots=True)
class MaskGrid:
    """Differences of a mask's grid from its image's, as if made by other people with other
    tools.
    """

    axes: str
    """Directions of its array axes, e.g. ``LPI``."""
    scale: tuple[float, float, float]
    """Its voxel size over the image's, in the order right, inferior, posterior."""
    crop: tuple[float, float, float]
    """Its extent over the image's, in the same order."""
    tilt: tuple[float, float, float]
    """Degrees about the patient's axes by which it is turned against the image."""


@dataclass(frozen=True, slots=True)
class PlannedKnee:
    """One knee: its person, its disease, its readings, its files. Paths are relative to the
    cohort's root.
    """

    index: int
    subject: str
    side: str
    part: int
    release: str
    site: str
    sex: str
    age: int
    bmi: float
    size: float
    severity: float
    findings: Findings
    true_grade: int
    read_grade: int
    second_grade: int | None
    """Grade of a second reading project, if it read the knee."""
    scanner: int
    date: str
    barcode: str
    image_format: str
    image_axes: str
    mask_format: str
    mask_grid: MaskGrid
    fault: str | None

    @property
    def case_id(self) -> str:
        """``<subject>-<side>-<visit>``."""
        return f"{self.subject}-{self.side}-{VISIT}"

    @property
    def folder(self) -> str:
        """The series folder as ``contents.csv`` names it:
        ``<release>/<participant>/<date>/<barcode>``.
        """
        return f"{self.release}/{self.subject}/{self.date}/{self.barcode}"

    @property
    def image(self) -> str:
        """The image: a folder of DICOM files, or a NIfTI file in such a folder."""
        folder = f"{VISIT}/{self.folder}"
        return folder if self.image_format == "dicom" else f"{folder}/{self.subject}_{self.side}_SAG_3D_DESS.nii.gz"

    @property
    def mask(self) -> str:
        """The mask file."""
        return f"masks/{self.release}/{self.subject}_{self.side}_V00.{self.mask_format}"

    @property
    def expected(self) -> Fault | None:
        """The knee's fault and how it must be handled; None without a fault."""
        return BY_NAME[self.fault] if self.fault else None

    def generator(self, phantom: Phantom, purpose: int) -> np.random.Generator:
        """A generator of this knee alone for one ``purpose`` (from 2 on; 1 is the plan's)."""
        return _generator(phantom, self.index, self.side, purpose)


def releases(phantom: Phantom) -> tuple[str, ...]:
    """Names of the release folders, one a part: ``0.A.1, 0.B.1, ...``."""
    return tuple(f"0.{chr(ord('A') + part)}.1" for part in range(phantom.parts))


@lru_cache(maxsize=8)
def plan_cohort(phantom: Phantom, cohort: str) -> tuple[PlannedKnee, ...]:
    """Every knee of a phantom cohort, by subject and side.

    Each subject is drawn from a generator of its own (``SeedSequence([seed, index])``): more
    subjects, or another share of subjects with both knees, do not change the others. The name of
    the cohort does not affect the draw.

    Args:
        phantom: the configuration.
        cohort: the cohort's name; it distinguishes the plans of two cohorts in the cache and in
            messages.
    """
    people = [(index, None) for index in range(phantom.subjects)]
    broken = [(_FIRST_FAULTY + number, fault) for number, fault in enumerate(FAULTS)] if phantom.faults else []
    return tuple(knee for index, fault in [*people, *broken] for knee in _plan_person(phantom, index, fault))


def _plan_person(phantom: Phantom, index: int, fault: Fault | None) -> Iterator[PlannedKnee]:
    rng = np.random.default_rng(np.random.SeedSequence([phantom.seed, index]))
    normal = rng.standard_normal(6)
    uniform = rng.random(8)
    sides = ("R", "L") if uniform[0] < phantom.both_knees and fault is None else ("R",) if uniform[1] < 0.5 else ("L",)
    scanner = int(uniform[2] * phantom.scanners)
    female = uniform[3] < 0.58
    image_format = (fault.image_format if fault else None) or ("nifti" if uniform[4] < phantom.nifti else "dicom")
    year, month, day = 2004 + int(uniform[5] * 3), 1 + int(uniform[6] * 12), 1 + int(uniform[7] * 28)
    # 37 has no divisor in common with 90000: numbers neither repeat nor follow the order of
    # drawing.
    number = 9_900_000 + (index * 37 + 11) % 90_000 if fault is None else 9_990_001 + index - _FIRST_FAULTY
    part = index % phantom.parts
    for side in sides:
        knee_rng = _generator(phantom, index, side, 1)
        z = math.sqrt(_KNEE_CORRELATION) * normal[0] + math.sqrt(1 - _KNEE_CORRELATION) * knee_rng.standard_normal()
        severity = (0.5 * (1 + math.erf(z / math.sqrt(2)))) ** _SEVERITY_EXPONENT
        knee_findings = draw_findings(severity, phantom.effect, phantom.lesions, knee_rng)
        grade = true_grade(severity, phantom.rater)
        written_grade = read_grade(grade, phantom.rater, knee_rng)
        second_grade = written_grade if knee_rng.random() < 0.1 else None
        if fault and fault.name == "disagreeing-readings":
            second_grade = written_grade - 1 if written_grade else 1
        file = 10 * index + (side == "L")
        yield PlannedKnee(
            index=index,
            subject=str(number),
            side=side,
            part=part,
            release=releases(phantom)[part],
            site=chr(ord("A") + scanner % 5),
            sex="F" if female else "M",
            age=int(min(max(61 + 7.5 * (0.35 * normal[0] + 0.94 * normal[1]), 45), 79)),
            bmi=round(float(min(max(28.3 + 4.5 * (0.3 * normal[0] + 0.95 * normal[2]), 18), 45)), 1),
            size=(0.955 if female else 1.045) + 0.03 * phantom.variation * float(np.clip(normal[3], -2.5, 2.5)),
            severity=severity,
            findings=knee_findings,
            true_grade=grade,
            read_grade=written_grade,
            second_grade=second_grade,
            scanner=scanner,
            date=f"{year}{month:02d}{day:02d}",
            barcode=f"0166{file:07d}" if knee_rng.random() < 0.2 else f"{10_000_000 + file}",
            image_format=image_format,
            image_axes=_IMAGE_AXES[int(knee_rng.integers(len(_IMAGE_AXES)))],
            mask_format="nii.gz" if knee_rng.random() < 0.6 else "mha",
            mask_grid=_mask_grid(knee_rng),
            fault=fault.name if fault else None,
        )


def _mask_grid(rng: np.random.Generator) -> MaskGrid:
    axes = _MASK_AXES[int(rng.integers(len(_MASK_AXES)))]
    u = rng.random(10)
    # Finer or coarser by 10 to 30 %, never about the same.
    scale = [(1.1 + 0.2 * size) if coarser < 0.5 else (0.9 - 0.2 * size) for size, coarser in zip(u[:3], u[3:6], strict=True)]
    crop = (0.92 + 0.06 * u[6], 0.78 + 0.18 * u[7], 0.80 + 0.16 * u[8])
    tilt = [float(angle) for angle in rng.uniform(-5, 5, 3)] if u[9] < 0.4 else [0.0, 0.0, 0.0]
    return MaskGrid(
        axes,
        (float(scale[0]), float(scale[1]), float(scale[2])),
        (float(crop[0]), float(crop[1]), float(crop[2])),
        (tilt[0], tilt[1], tilt[2]),
    )


def _generator(phantom: Phantom, index: int, side: str, purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([phantom.seed, index, 1 + (side == "L"), purpose]))
