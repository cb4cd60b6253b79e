"""Registry of saliency methods, read from the folder: the code of one method belongs to its own
maps alone. Imports no torch.

A method is a file of this folder that declares ``OPTIONS``, the keys of the section `saliency` that
decide its maps besides those of every method.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.declarations import members
from kneeoa.errors import KneeoaError

if TYPE_CHECKING:
    from kneeoa.saliency.methods.interface import Method

_FOLDER = Path(__file__).parent


def methods() -> tuple[str, ...]:
    """Names of all methods: one file each."""
    return tuple(members(_FOLDER, "OPTIONS"))


def options(name: str) -> frozenset[str]:
    """The keys of the section `saliency` that decide the maps of this method alone."""
    return frozenset(members(_FOLDER, "OPTIONS").get(name, ()))


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
