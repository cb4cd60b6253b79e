"""Generate the reference of every configuration key from the typed sections: ``python -m
kneeoa.config.reference``.
"""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from kneeoa.config.plugins import OfItsKind
from kneeoa.config.section import MemberOf
from kneeoa.plugins.options.base import PluginOptions

HEADER = """# Every key of the configuration

Generated from the typed sections in `workflow/lib/kneeoa/config/` (`make reference`); a key that is not listed is refused.
`config.yaml` shows them in use. A backbone's `options` are those of its kind, in `workflow/lib/kneeoa/backbones/options/`.
"""


def markdown(root: type[BaseModel]) -> str:
    """The reference in Markdown: one table a section, in the order in which sections are first
    used.
    """
    parts = [HEADER]
    for section in _sections(root, []):
        doc = inspect.cleandoc(section.__doc__ or "")
        parts.append(f"## {_title(section)}\n\n{doc}\n\n| key | value | default | meaning |\n|---|---|---|---|")
        parts += [_row(name, field) for name, field in section.model_fields.items()]
        parts.append("")
    return "\n".join(parts)


def _title(section: type[BaseModel]) -> str:
    return f"Plug-in {section.model_fields['kind'].default}" if issubclass(section, PluginOptions) else section.__name__


def _row(name: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split())
    return f"| `{name}` | {_type(field.annotation, field.metadata)} | {_default(field)} | {meaning} |".replace("  ", " ")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default_factory() if field.default_factory is not None else field.default  # type: ignore[call-arg]
    if isinstance(value, BaseModel):
        return "see below"
    if value is PydanticUndefined or value is None or value in ((), {}, ""):
        return "none"
    return f"`{value}`"


def _type(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """Describe a type briefly, for a table cell."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    for kinds in (rule for rule in metadata if isinstance(rule, OfItsKind)):
        return " or ".join(_title(section) for section in kinds.sections())
    if origin is Annotated:
        return _type(arguments[0], arguments[1:])
    names = [name for rule in metadata if isinstance(rule, MemberOf) for name in rule.names()]
    if origin is Literal or names:
        return " or ".join(f"`{value}`" for value in names or arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(argument) for argument in arguments if argument is not type(None)))
    if origin is dict:
        return f"{_type(arguments[1])} by name"
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__
    return {str: "text", int: "integer", float: "number", bool: "true or false"}.get(annotation, "any value")


def _sections(model: type[BaseModel], collected: list[type[BaseModel]]) -> list[type[BaseModel]]:
    if model not in collected:
        collected.append(model)
        for field in model.model_fields.values():
            for section in _models(field.annotation):
                _sections(section, collected)
    return collected


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    for kinds in (rule for rule in get_args(annotation) if isinstance(rule, OfItsKind)):
        return list(kinds.sections())
    return [model for argument in get_args(annotation) for model in _models(argument)]


if __name__ == "__main__":
    from kneeoa.config.study import Study

    sys.stdout.write(markdown(Study))
