"""Section of plug-ins: networks between a backbone's feature maps and the answers.

Each kind has its own keys, which the registry's option classes declare; a section's kind decides
which of them it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from kneeoa.errors import KneeoaError
from kneeoa.plugins import registry
from kneeoa.plugins.options.base import PluginOptions


@dataclass(frozen=True)
class OfItsKind:
    """Annotation of a section whose key ``kind`` names its class in the registry of plug-ins."""

    def sections(self) -> tuple[type[PluginOptions], ...]:
        """The classes of all kinds, for the reference of keys."""
        return tuple(registry.options_class(kind) for kind in registry.kinds())

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The checks of the class that ``kind`` names."""
        return core_schema.no_info_plain_validator_function(self._parse)

    def _parse(self, value: Any) -> PluginOptions:
        if isinstance(value, PluginOptions):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(f"a plug-in is a section with its 'kind', not {value!r}")
        try:
            return registry.parse(value)
        except KneeoaError as error:
            raise ValueError(str(error)) from error


Plugin = Annotated[PluginOptions, OfItsKind()]
"""A plug-in of any kind."""
