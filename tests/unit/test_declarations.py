"""Constants are read from a module's text: literals at the top level, and the module never runs."""

from pathlib import Path

import pytest

from kneeoa.declarations import declared, members
from kneeoa.errors import KneeoaError

MODULE = '''"""Doc."""
raise SystemExit("this module ran")
LEVELS = (1, None)
KINDS: tuple[str, ...] = ("binary",)
WORDS = {
    "a": ["(", "b = 2"],
    "c": "d",
}
MADE = tuple(range(3))
lower = 1
class Inside:
    HIDDEN = 1
'''


def test_literals_are_read_and_nothing_runs(tmp_path: Path) -> None:
    (tmp_path / "member.py").write_text(MODULE)
    values = {name: declared(tmp_path / "member.py", name) for name in ("LEVELS", "KINDS", "WORDS", "HIDDEN", "LEVEL", "lower")}
    assert values == {
        "LEVELS": (1, None),
        "KINDS": ("binary",),
        "WORDS": {"a": ["(", "b = 2"], "c": "d"},
        "HIDDEN": None,
        "LEVEL": None,
        "lower": 1,
    }


def test_a_member_is_what_declares_the_constant(tmp_path: Path) -> None:
    for name, text in {"b": "LEVELS = 2\n", "a": "LEVELS = 1\n", "helper": "OTHER = 1\n", "__init__": ""}.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert list(members(tmp_path, "LEVELS").items()) == [("a", 1), ("b", 2)]
    (tmp_path / "b.py").write_text("LEVELS = 30\n")
    assert members(tmp_path, "LEVELS")["b"] == 30


@pytest.mark.parametrize("value", ["(1,", "tuple(range(3))", "OTHER", "{'a': made()}"])
def test_what_is_no_literal_is_named_with_its_file(tmp_path: Path, value: str) -> None:
    (tmp_path / "broken.py").write_text(f"LEVELS = {value}\n")
    with pytest.raises(KneeoaError, match=r"broken\.py: LEVELS must be a literal"):
        members(tmp_path, "LEVELS")
