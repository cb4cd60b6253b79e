"""Turn pydantic's validation errors into messages: which key, which value, what is allowed."""

from __future__ import annotations

import difflib
import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_TAGS = frozenset({"constrained-str", "str", "int", "float", "bool"})


def validation_messages(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One message per mistake, in the order of the configuration; equal ones of a union's branches
    are given once.
    """
    messages = [_message(detail, model) for detail in error.errors()]
    return list(dict.fromkeys(messages))


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    location = [part for part in detail["loc"] if isinstance(part, int) or not _is_type_tag(str(part))]
    key = dotted(location)
    value = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(location, model)
        case "missing":
            return f"the key '{key}' is missing"
        case "literal_error":
            return f"'{key}' is {value!r}; allowed are {detail['ctx']['expected']}"
        case "value_error":
            return f"{detail['ctx']['error']}" + (f" (in '{key}')" if key else "")
        case "string_pattern_mismatch":
            return f"'{key}' is {value!r}; a name has small letters, digits, - and _ and begins with a letter"
        case "string_type" if not isinstance(value, str | list | tuple | dict):
            return _quote_message(key, detail["loc"], value)
        case "tuple_type" if isinstance(value, str):
            return f"'{key}' is {value!r}; write a list: [{value}]"
        case _:
            text = detail["msg"][:1].lower() + detail["msg"][1:]
            return f"'{key}' is {value!r}: {text}"


def _quote_message(key: str, location: tuple[int | str, ...], value: Any) -> str:
    """Message about a name without quotes that YAML read as another type."""
    kind = {bool: "yes or no", int: "a number", float: "a number", type(None): "nothing"}.get(type(value), "a date")
    if location and location[-1] == "[key]":
        above = dotted([part for part in location[:-2] if isinstance(part, int) or not _is_type_tag(part)])
        return f"a key of '{above}' is {value!r}: YAML made {kind} of it; put it in quotes"
    return f"'{key}' is {value!r}: YAML made {kind} of it; put it in quotes"


def _is_type_tag(part: str) -> bool:
    """Whether a part of a location is the branch of a union that pydantic adds (``tuple[...]``,
    ``constrained-str``), and no key.
    """
    return "[" in part or part in _TAGS


def dotted(location: Sequence[int | str]) -> str:
    """Write the place of a key: ``arms[0].name``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _unknown_key(location: list[int | str], model: type[BaseModel]) -> str:
    section = _section_at(location[:-1], model)
    allowed = sorted(section.model_fields) if section is not None else []
    near = difflib.get_close_matches(str(location[-1]), allowed, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"the key '{dotted(location)}' is not known{hint} (allowed here: {', '.join(allowed)})"


def _section_at(location: list[int | str], model: type[BaseModel]) -> type[BaseModel] | None:
    """The section at a location, by following the annotations of fields."""
    current: Any = model
    for part in location:
        current = _strip_annotations(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            if part not in current.model_fields:
                return None
            current = current.model_fields[str(part)].annotation
        elif get_origin(current) is dict:
            current = get_args(current)[1]
        elif get_origin(current) in (tuple, list):
            current = get_args(current)[0]
        else:
            return None
    current = _strip_annotations(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _strip_annotations(annotation: Any) -> Any:
    """Strip Annotated and Optional."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        annotation = options[0]
    return annotation
