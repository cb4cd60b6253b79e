"""Every key of the configuration, walked from its typed sections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from kneeoa.config.plugins import OfItsKind
from kneeoa.config.study import Study


def keys(model: type[BaseModel] = Study, above: str = "") -> Iterator[str]:
    """Every key of a section and of the sections in it, as a path of names; lists, and names that a
    person chooses, are left out.
    """
    for name, field in model.model_fields.items():
        inner = dict.fromkeys(_models(field.annotation))
        if not inner:
            yield above + name
        for section in inner:
            yield from keys(section, f"{above}{name}.")


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    for kinds in (rule for rule in get_args(annotation) if isinstance(rule, OfItsKind)):
        return list(kinds.sections())
    return [model for argument in get_args(annotation) for model in _models(argument)]
