"""Which methods of saliency there are, read off the folder: the code of one method belongs to its
own maps alone. Imports no torch.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.errors import KneeoaError

if TYPE_CHECKING:
    from kneeoa.saliency.methods.interface import Method


def methods() -> tuple[str, ...]:
    """Every method, by name: one file each."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in {"__init__", "interface", "registry"}))


def code_modules(name: str) -> tuple[str, ...]:
    """Dotted names of the modules whose code belongs to the method alone.

    Raises:
        KneeoaError: there is no such method.
    """
    if name not in methods():
        raise KneeoaError(f"'{name}' is not a method of saliency; allowed are {', '.join(methods())}")
    return (f"kneeoa.saliency.methods.{name}",)


def load(name: str) -> Method:
    """The method's function.

    Raises:
        KneeoaError: there is no such method.
    """
    method: Method = importlib.import_module(code_modules(name)[0]).explain
    return method
