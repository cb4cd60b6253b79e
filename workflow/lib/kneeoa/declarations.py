"""Read the declarations of modules from their text, without importing them: a registry's members
import torch or matplotlib, which takes seconds at each start.

A declaration is a name in capitals that a module binds to a literal at its top level.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

from kneeoa.errors import KneeoaError


def members(folder: Path, name: str) -> dict[str, Any]:
    """The modules of ``folder`` that declare ``name``, each with its value, in the order of their
    names. The declaration makes a file a member of a registry; helpers beside it have none.

    Raises:
        KneeoaError: what a module binds to the name is no literal.
    """
    values = {path.stem: declared(path, name) for path in sorted(folder.glob("*.py"))}
    return {module: value for module, value in values.items() if value is not None}


def declared(path: Path, name: str) -> Any:
    """The literal that a module binds to ``name``; None where it binds none.

    Raises:
        KneeoaError: what it binds to the name is no literal.
    """
    status = path.stat()
    return _declared(path, name, status.st_mtime_ns, status.st_size)


@cache
def _declared(path: Path, name: str, modified: int, size: int) -> Any:
    # The statement goes on in lines that are indented, or that begin by closing a bracket.
    statement = rf"^{name}(?:: [^=\n]+)? = (.*(?:\n(?:[ \t].*|[)\]}}].*))*)"
    match = re.search(statement, path.read_text(encoding="utf-8"), re.M)
    if match is None:
        return None
    try:
        return ast.literal_eval(match[1])
    except (ValueError, SyntaxError):
        raise KneeoaError(f"{path}: {name} must be a literal: it is read without importing the module.") from None
