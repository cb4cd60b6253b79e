"""The base of every configuration section: closed (an unknown key is an error) and immutable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# Names become wildcards and file names, so few characters are allowed.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$")]

# A factor of arms; a dotted one is a key of a section, such as training.learning_rate.
FactorName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def all_values(section: BaseModel) -> dict[str, Any]:
    """The values of a section and of those within it by key, also those that a dump leaves out as
    they are the defaults.
    """
    return {name: all_values(value) if isinstance(value, BaseModel) else value for name, value in section}


@dataclass(frozen=True)
class MemberOf:
    """Annotation of a text that must be a name in a registry; a wrong one is refused as a wrong
    ``Literal`` is, with the allowed names.
    """

    names: Callable[[], tuple[str, ...]]
    """Returns the registry's names."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The text's own schema, then the check."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: str) -> str:
        names = self.names()
        if value in names:
            return value
        *others, last = (f"'{name}'" for name in names)
        expected = f"{', '.join(others)} or {last}" if others else last
        raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
