"""Call a figure's module by the figure's name, importing it then."""

from __future__ import annotations

import importlib
from typing import Any


def code_module(name: str) -> str:
    """Dotted name of the module that draws a figure."""
    return f"kneeoa.figures.{name}"


def draw(name: str, **arguments: Any) -> None:
    """Draw a figure: its module's ``draw`` with these arguments."""
    importlib.import_module(code_module(name)).draw(**arguments)
