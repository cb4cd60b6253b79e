"""Constants that a module declares, read from its text: registries ask what a member declares
without importing it, as members import torch.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kneeoa.errors import KneeoaError


def declared(path: Path) -> Mapping[str, Any]:
    """The constants (names in capitals) that a file assigns a literal at its top level, by name.

    Raises:
        KneeoaError: the file cannot be read as Python.
    """
    status = path.stat()
    return _declared(path, status.st_mtime_ns, status.st_size)


@cache
def _declared(path: Path, modified: int, size: int) -> Mapping[str, Any]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise KneeoaError(f"{path}: cannot be read as Python ({error}).") from error
    constants = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and target.id.isupper():
            try:
                constants[target.id] = ast.literal_eval(value)
            except ValueError:
                continue  # computed, so nothing that can be read without running the module
    return constants


def members(folder: Path, constant: str) -> dict[str, Any]:
    """The modules of ``folder`` that declare ``constant``, each with its value, in name order: what
    makes a file a member of a registry, and a helper beside it none.

    Raises:
        KneeoaError: a file cannot be read as Python.
    """
    constants = {path.stem: declared(path) for path in sorted(folder.glob("*.py"))}
    return {name: values[constant] for name, values in constants.items() if constant in values}
