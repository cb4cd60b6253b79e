"""Section of the phantom cohort, which the workflow makes itself."""

from __future__ import annotations

from typing import Literal, Self

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


_SMALLEST_FILM_MM = (220.0, 340.0)
"""Height and width of a film on which both knees, their positions varied, have room."""


class Film(Section):
    """Detector of the phantom's radiographs, and the pictures that it makes."""

    shape: tuple[PositiveInt, PositiveInt] = (2048, 2494)
    """Pixels of a film of both knees: rows, columns."""
    spacing: PositiveFloat = 0.17
    """Size of a pixel in millimetres, of films and of pictures of one knee."""
    knee_mm: PositiveFloat = 140.0
    """Height and width in millimetres of a picture of one knee (`form: knees`)."""
    bits: int = Field(default=12, ge=8, le=16)
    """Stored bits of a pixel in DICOM files. Pictures of one knee have 8."""
    gain: PositiveFloat = 1.0
    """Contrast of the detector's curve. Above 1, the darkest and brightest parts saturate."""
    gamma: PositiveFloat = 1.0
    """Power of the detector's curve. Above 1, middle greys are darker."""
    noise: float = Field(default=1.0, ge=0)
    """Quantum noise relative to an exposure of 20,000 photons to a pixel of 0.17 mm."""
    blur: float = Field(default=0.2, ge=0)
    """Blur by focal spot and detector: standard deviation in millimetres."""
    collimation: float = Field(default=0.5, ge=0, le=1)
    """Share of the films with a border that the beam did not reach."""

    @model_validator(mode="after")
    def _room(self) -> Self:
        size = [pixels * self.spacing for pixels in self.shape]
        if any(has < needs for has, needs in zip(size, _SMALLEST_FILM_MM, strict=True)):
            raise ValueError(
                f"'shape' {list(self.shape)} times 'spacing' {self.spacing:g} is a film of {size[0]:.0f} x {size[1]:.0f} mm; both knees "
                f"need {_SMALLEST_FILM_MM[0]:.0f} x {_SMALLEST_FILM_MM[1]:.0f} at least"
            )
        if not 100 <= self.knee_mm <= 180:
            raise ValueError(f"'knee_mm' is {self.knee_mm:g}; a picture of one knee has 100 to 180 mm, so that it holds the knee alone")
        return self


_OF_MRI = ("both_knees", "shape", "spacing", "noise", "bias", "lesions", "nifti")
_OF_RADIOGRAPHS = ("form", "film")


class Phantom(Section):
    """Size, number and difficulty of the phantom cohort."""

    images: Literal["mri", "radiographs"] = Field(default="mri", exclude_if=lambda images: images == "mri")
    """Kind of images. mri: volumes of one knee each, read with view `sag_dess`. radiographs: of
    both knees of everybody, read with view `pa`; the keys of volumes (`both_knees`, `shape`,
    `spacing`, `noise`, `bias`, `lesions`, `nifti`) are then refused.
    """
    form: Literal["films", "archives", "knees"] = Field(default="films", exclude_if=lambda form: form == "films")
    """Files of radiographs. films: DICOM files of both knees in OAI's folders. archives: the same,
    a .tar.gz each. knees: a PNG of each knee and a table, for reader `manifest` (docs/phantom.md).
    """
    film: Film = Field(default=Film(), exclude_if=lambda film: film == Film())
    """Detector of radiographs."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """Seed of all random draws."""
    population: int = Field(default=0, ge=0, le=8, exclude_if=lambda population: population == 0)
    """Number of the population that people are drawn from. People of two populations are others and
    have other ids, whatever the seed.
    """
    subjects: int = Field(default=200, ge=1, le=90_000)
    """Number of people without faults. Cases with faults (see `faults`) are further people."""
    prevalence: float | None = Field(default=None, gt=0, lt=1, exclude_if=lambda prevalence: prevalence is None)
    """Share of knees whose true grade is 2 or more. Severity then follows u to a power, u uniform.
    Null: the power 1.3, which is a half.
    """
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

    @model_validator(mode="after")
    def _keys_of_images(self) -> Self:
        foreign = _OF_MRI if self.images == "radiographs" else _OF_RADIOGRAPHS
        given = [name for name in foreign if name in self.model_fields_set and getattr(self, name) != type(self).model_fields[name].default]
        if given:
            raise ValueError(f"'{given[0]}' is no key of a phantom whose 'images' are {self.images}")
        return self
