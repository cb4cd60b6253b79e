"""What a network is made of, as plain JSON: enough to build it again. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, PositiveInt, ValidationError

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.config.section import Section
from kneeoa.config.sentences import sentences
from kneeoa.errors import KneeoaError


class ModelSpec(Section):
    """Everything but the weights; sections may be given as objects or as plain mappings."""

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
    mode: Mode
    levels: tuple[Level, ...] = Field(min_length=1)
    """All levels of the study, coarse to fine: a coarse one may be read from a fine head."""

    def to_json(self) -> dict[str, Any]:
        """A JSON-able mapping."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_json`.

        Raises:
            KneeoaError: a key is missing, unknown or holds a value that is not allowed.
        """
        try:
            return cls.model_validate(dict(value))
        except ValidationError as error:
            raise KneeoaError(f"description of a network: {'; '.join(sentences(error, cls))}") from error
