"""Names of variables that say nothing of what they hold (CONTRIBUTING.md, "Names we use")."""

import ast
from collections.abc import Iterator

from tests.dag import ROOT

AVOIDED = {"found", "told", "said", "own", "known", "seen", "spoken"}


def avoided(source: str) -> Iterator[str]:
    """Names of variables and arguments that should be others, with their lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in AVOIDED:
            yield f"{node.lineno}: {node.id}"
        elif isinstance(node, ast.arg) and node.arg in AVOIDED:
            yield f"{node.lineno}: {node.arg}"


def test_no_variable_has_a_name_that_says_nothing() -> None:
    files = [path for folder in ("workflow", "scripts") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    assert [f"{path.relative_to(ROOT)}:{name}" for path in files for name in avoided(path.read_text(encoding="utf-8"))] == []


def test_variables_and_arguments_are_seen_and_attributes_and_calls_are_not() -> None:
    source = "def f(own, x=1):\n    found, y = x\n    for seen in y:\n        pass\n    return y.known + told(y)\n"
    assert sorted(avoided(source)) == ["1: own", "2: found", "3: seen"]
