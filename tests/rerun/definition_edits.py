"""Edits the code of a file's definitions so that it is another code and does the same."""

from __future__ import annotations

import ast

EVERY = "*"
"""All definitions of a file."""


def edited_definition(source: str, name: str = EVERY) -> str:
    """``source`` with a ``pass`` more in the function or class ``name``, or a second statement that
    gives the constant ``name`` the value that it has.

    Raises:
        AssertionError: there is no such definition.
    """
    lines = source.split("\n")
    edits: list[tuple[int, str]] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and name in (EVERY, node.name):
            first = node.body[0]
            at = (
                first.decorator_list[0].lineno
                if isinstance(first, ast.FunctionDef | ast.ClassDef) and first.decorator_list
                else first.lineno
            )
            edits.append((at - 1, f"{' ' * first.col_offset}pass"))
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name) and name in (EVERY, target.id):
                    edits.append((len(lines), f"{target.id} = {target.id}"))
    assert edits, f"there is no definition '{name}'"
    for at, line in sorted(edits, reverse=True):
        lines.insert(at, line)
    return "\n".join(lines) + "\n"
