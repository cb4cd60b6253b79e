"""Section of the phantom cohort, which the workflow makes itself."""

from __future__ import annotations

from typing import Self

from pydantic import AliasChoices, Field, PositiveFloat, PositiveInt, model_validator

from kneeoa.config.section import Section


class PhantomRater(Section):
    """The simulated radiologist who reads Kellgren-Lawrence grades from the latent severity."""

    cuts: tuple[float, float, float, float] = (0.2, 0.4, 0.6, 0.8)
    """Latent severity at which the true grade steps from 0 to 1, 1 to 2, 2 to 3, 3 to 4."""
    confusion: tuple[tuple[float, float, float, float, float], ...] = Field(
        default=(
            (0.85, 0.15, 0.0, 0.0, 0.0),
            (0.15, 0.70, 0.15, 0.0, 0.0),
            (0.0, 0.12, 0.76, 0.12, 0.0),
            (0.0, 0.0, 0.12, 0.80, 0.08),
            (0.0, 0.0, 0.0, 0.12, 0.88),
        ),
        min_length=5,
        max_length=5,
    )
    """Probabilities of the grade that is read. Rows are true grades, columns are read grades."""

    @model_validator(mode="after")
    def _probabilities(self) -> Self:
        if any(low >= high for low, high in zip(self.cuts, self.cuts[1:], strict=False)) or not 0 < self.cuts[0] < self.cuts[-1] < 1:
            raise ValueError(f"'cuts' must rise strictly inside (0, 1), not {list(self.cuts)}")
        for grade, row in enumerate(self.confusion):
            if min(row) < 0 or abs(sum(row) - 1) > 1e-9:
                raise ValueError(f"row {grade} of 'confusion' must hold probabilities that add up to 1, not {list(row)}")
        return self


class Phantom(Section):
    """Size, number and difficulty of the phantom cohort."""

    seed: int = Field(default=1, ge=0, lt=2**32)
    """Seed of all random draws."""
    subjects: int = Field(default=200, ge=1, le=90_000)
    """Number of people without faults. Cases with faults (see `faults`) are further people."""
    both_knees: float = Field(default=0.3, ge=0, le=1)
    """Share of subjects who have both knees."""
    shape: tuple[PositiveInt, PositiveInt, PositiveInt] = (40, 96, 96)
    """Raw voxels of an image: slices (left-right), rows, columns."""
    spacing: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (2.8, 1.46, 1.46)
    """Size of a raw voxel in millimetres."""
    noise: float = Field(default=0.06, ge=0)
    """Rician noise, as a share of the cartilage signal."""
    bias: float = Field(default=0.25, ge=0, lt=1)
    """Peak relative size of the smooth bias field."""
    scanners: PositiveInt = 3
    """Number of scanners, each with its own gain, contrast and noise."""
    lesions: float = Field(default=1.0, ge=0)
    """Strength of marrow lesions and effusion for a given severity."""
    effect: float = Field(default=1.0, gt=0)
    """Strength of the effect of severity on the anatomy. 1 is a textbook knee, less is harder to
    learn.
    """
    variation: float = Field(default=1.0, ge=0, le=2)
    """Strength of differences between knees that do not depend on severity: size, shape, pose,
    thickness of cartilage.
    """
    nifti: float = Field(default=0.5, ge=0, le=1)
    """Share of subjects whose images are NIfTI files. The others are DICOM series."""
    faults: bool = True
    """Add a few cases with faults, one subject each, besides `subjects`. Most must end in the
    exclusions table.
    """
    parts: int = Field(default=4, ge=1, le=26)
    """Number of release folders (and jobs) into which the raw files are divided."""
    # Jobs take it by its earlier name, which finished studies have recorded: none runs again.
    rater: PhantomRater = Field(default=PhantomRater(), validation_alias=AliasChoices("rater", "reader"), serialization_alias="reader")
    """The simulated radiologist who reads the grades."""
