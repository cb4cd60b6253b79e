"""Draw a figure by its name, through its module, which is imported only then."""

from __future__ import annotations

import importlib
from typing import Any


def code_module(name: str) -> str:
    """Return the dotted name of the module that draws a figure."""
    return f"kneeoa.figures.{name}"


def draw(name: str, **arguments: Any) -> None:
    """Draw a figure with its module's ``draw`` and these arguments."""
    importlib.import_module(code_module(name)).draw(**arguments)
