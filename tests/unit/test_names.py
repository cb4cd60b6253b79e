"""Variables and functions have names of what they hold or do, and docstrings say what a thing is
(CONTRIBUTING.md, "Names we use and avoid").
"""

import ast
import re
from collections.abc import Iterator

from tests.dag import ROOT

AVOIDED = {"found", "told", "said", "own", "known", "seen", "spoken"}
FOLDERS = ("workflow", "scripts", "tests", "benchmarks", "envs")
DESCRIBED = ("workflow", "tests", "scripts", "benchmarks", "envs")
"""Folders whose docstrings open with a noun or a verb."""
OPENING = re.compile(r"(What|How|Where|Whose|Which|Why|Of|The same)\b")


def files(folders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Path and text of each Python file of these folders."""
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def avoided(source: str) -> Iterator[str]:
    """Names of variables, arguments and functions that should be others, with their lines."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                if name in AVOIDED:
                    yield f"{node.lineno}: {name}"


def vague(source: str) -> Iterator[str]:
    """Opening words of docstrings, of constants' and attributes' too, that are no noun or verb."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)) if opening := OPENING.match(text.strip()):
                yield f"{node.lineno}: {opening[0]}"


def test_no_name_says_nothing() -> None:
    assert len(list(files(FOLDERS))) > 800
    assert [f"{path}:{name}" for path, text in files(FOLDERS) for name in avoided(text)] == []


def test_docstrings_open_with_what_the_thing_is() -> None:
    assert [f"{path}:{opening}" for path, text in files(DESCRIBED) for opening in vague(text)] == []


def test_variables_arguments_and_functions_count_and_attributes_and_calls_do_not() -> None:
    source = "def f(own, x=1):\n    found, y = x\n    for seen in y:\n        pass\n    return y.known + told(y)\ndef said(): ...\n"
    assert sorted(avoided(source)) == ["1: own", "2: found", "3: seen", "6: said"]


def test_docstrings_of_all_kinds_count_and_other_texts_do_not() -> None:
    source = '"""How it is."""\nA = 1\n"""Of what."""\ndef f(x):\n    """Whose x."""\n    return "What?"\ndef g():\n    """Offer."""\n'
    assert sorted(vague(source)) == ["1: How", "3: Of", "5: Whose"]
