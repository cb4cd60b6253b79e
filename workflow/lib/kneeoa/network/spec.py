"""Specification of a network as plain JSON, enough to build it again. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, ValidationError, model_validator

from kneeoa.central_crop import check_crop
from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.config.section import Name, Section
from kneeoa.config.validation_messages import validation_messages
from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError


class TrainedOn(Section):
    """Form of the images that a network was trained on, so that others can be prepared alike."""

    view: Name
    """Name of their view."""
    canonical: View
    """The canonical form of that view; a network of another shape takes it resampled over the same
    extent.
    """
    left_knees: Literal["mirrored", "as_they_are"]
    """Whether left knees were mirrored to look like right ones."""
    cohorts: tuple[str, ...] = ()
    """Names of the cohorts that were trained on."""

    @model_validator(mode="after")
    def _same_rule(self) -> Self:
        if (self.left_knees == "mirrored") != self.canonical.mirrors:
            raise ValueError(f"'left_knees' is {self.left_knees}, which is not how this version prepares images of the view '{self.view}'")
        return self


class ModelSpec(Section):
    """All of a network but its weights; sections may be given as objects or as plain mappings."""

    backbone: str
    """Kind of the backbone."""
    options: dict[str, Any] = Field(default_factory=dict)
    """The kind's options; what is left out has its published value."""
    dimensions: PositiveInt
    """Axes of the image."""
    in_channels: PositiveInt = 1
    """Channels of the image."""
    shape: tuple[PositiveInt, ...]
    """Voxels of the image along each axis."""
    crop: tuple[PositiveInt, ...] | None = None
    """Voxels along each axis of the part of an image that the network takes, the central one but in
    training; None: the whole image.
    """
    mode: Mode
    levels: tuple[Level, ...] = Field(min_length=1)
    """All levels of the study, coarse to fine: a coarse one may be read from a fine head."""
    plugin: dict[str, Any] | None = None
    """A plug-in between the feature maps and the answers: its kind and options, as the
    configuration has them; None: the mode's heads are on the embedding.
    """
    trained_on: TrainedOn | None = None
    """Source and preparation of its images; None: not known, so the network cannot
    be applied to other images.
    """

    @model_validator(mode="after")
    def _crop_inside(self) -> Self:
        if self.crop is not None:
            check_crop(self.crop, self.shape)
        return self

    @property
    def taken(self) -> tuple[int, ...]:
        """Voxels along each axis of what the network takes: of the crop, else of the image."""
        return self.shape if self.crop is None else self.crop

    def to_json(self) -> dict[str, Any]:
        """The specification as a mapping for JSON."""
        return self.model_dump(mode="json", exclude={key for key in ("plugin", "crop") if getattr(self, key) is None})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_json`.

        Raises:
            KneeoaError: a key is missing, unknown or holds a value that is not allowed.
        """
        try:
            return cls.model_validate(dict(value))
        except ValidationError as error:
            raise KneeoaError(f"description of a network: {'; '.join(validation_messages(error, cls))}") from error
