"""The phantom cohort that the workflow makes itself."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

from kneeoa.config.section import Section


class Reader(Section):
    """The simulated radiologist who reads Kellgren-Lawrence grades from the latent severity."""

    cuts: tuple[float, float, float, float] = (0.2, 0.4, 0.6, 0.8)
    """Latent severity at which the true grade steps from 0 to 1, 1 to 2, 2 to 3, 3 to 4."""
    confusion: tuple[tuple[float, ...], ...] = (
        (0.85, 0.15, 0.0, 0.0, 0.0),
        (0.15, 0.70, 0.15, 0.0, 0.0),
        (0.0, 0.12, 0.76, 0.12, 0.0),
        (0.0, 0.0, 0.12, 0.80, 0.08),
        (0.0, 0.0, 0.0, 0.12, 0.88),
    )
    """Row: true grade; column: probability of the grade that is read."""


class Phantom(Section):
    """Size, number and difficulty of the phantom cohort."""

    seed: int = 1
    subjects: PositiveInt = 200
    both_knees: float = Field(default=0.3, ge=0, le=1)
    """Share of subjects who have both knees."""
    shape: tuple[PositiveInt, PositiveInt, PositiveInt] = (40, 96, 96)
    """Raw voxels of an image: slices (left-right), rows, columns."""
    spacing: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (2.8, 1.46, 1.46)
    """Millimetres of a raw voxel."""
    noise: float = Field(default=0.06, ge=0)
    """Rician noise, as a share of the cartilage signal."""
    bias: float = Field(default=0.25, ge=0)
    """Peak relative size of the smooth bias field."""
    scanners: PositiveInt = 3
    """Scanners with gains, contrasts and noise of their own."""
    lesions: float = Field(default=1.0, ge=0)
    """Strength of marrow lesions and effusion for a given severity."""
    effect: float = Field(default=1.0, gt=0)
    """How strongly severity changes the anatomy: 1 is a textbook knee, less is harder to learn."""
    nifti: float = Field(default=0.5, ge=0, le=1)
    """Share of subjects whose images are NIfTI files; the rest are DICOM series."""
    faults: bool = True
    """Break a few cases on purpose: they must end in the exclusions table."""
    parts: PositiveInt = 4
    """Into how many release folders (and jobs) the raw tree is cut."""
    reader: Reader = Reader()
