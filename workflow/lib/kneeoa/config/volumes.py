"""Canonical volumes, aligned masks, and the grids that networks take."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from kneeoa.config.section import Name, Section


class Intensity(Section):
    """From scanner units to the network's units. The order is: N4 (if asked), percentile clip, z-score."""

    n4: bool = False
    """N4 bias-field correction (SimpleITK, shrink factor 4) before anything else."""
    clip: tuple[float, float] = (0.5, 99.5)
    """Percentiles of the volume at which intensities are clipped."""
    zscore: bool = True
    """Subtract the mean and divide by the standard deviation of the clipped volume."""


class View(Section):
    """One kind of image of a case, and the canonical form that it is brought to.

    Axes are (slice, row, column) for sagittal MRI: left-right first, then superior-inferior, then anterior-posterior.
    """

    dimensions: Literal[2, 3] = 3
    """Axes of the image."""
    shape: tuple[PositiveInt, ...]
    """Voxels of the canonical grid."""
    spacing: tuple[PositiveFloat, ...]
    """Millimetres of the canonical grid."""
    intensity: Intensity = Intensity()
    """How intensities are brought to a common scale."""

    @model_validator(mode="after")
    def _dimensions(self) -> Self:
        for key in ("shape", "spacing"):
            if len(getattr(self, key)) != self.dimensions:
                raise ValueError(f"'{key}' needs {self.dimensions} numbers, not {len(getattr(self, key))}")
        return self


class MaskChecks(Section):
    """When an aligned mask is believed. A mask that fails is a row of the exclusions table."""

    minimum_inside: float = Field(default=0.9, ge=0, le=1)
    """Least share of the mask that must fall inside the image."""
    minimum_contrast: float = Field(default=0.6, ge=0.5, le=1)
    """Least AUC by which cartilage and bone intensities must differ under the mask."""
    required: bool = False
    """true: a case without a usable mask leaves the study; false: it leaves the anatomy only."""


class Grid(Section):
    """An input size that arms may ask for; volumes are resampled to it once, not per arm."""

    shape: tuple[PositiveInt, ...]
    """Voxels along each axis."""


Grids = dict[Name, Grid]
