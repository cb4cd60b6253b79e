"""The code digest: an edit that can change a result changes it, anything else does not."""

from pathlib import Path

import pytest

from kneeoa import closure


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small library: script -> a -> b; c is a registry member that nothing imports; d is for type
    checkers only.
    """
    package = tmp_path / "kneeoa"
    package.mkdir()
    files = {
        "__init__.py": '"""Doc."""\n',
        "a.py": '"""Doc."""\nfrom kneeoa.b import value\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from kneeoa.d import T\n',
        "b.py": 'value = 1  # one\n\ndef f():\n    """Doc."""\n    return value\n',
        "c.py": "from kneeoa.b import value\nmember = 3\n",
        "d.py": "T = int\n",
    }
    for name, text in files.items():
        (package / name).write_text(text)
    (tmp_path / "script.py").write_text("from kneeoa.a import value\nprint(value)\n")
    monkeypatch.setattr(closure, "_LIBRARY", tmp_path)
    return tmp_path


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_closure_follows_imports_but_not_registry_members_or_type_checking(library: Path) -> None:
    assert closure.closure(library / "script.py") == {"kneeoa", "kneeoa.a", "kneeoa.b"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("kneeoa/b.py", "value = 1", "value = 2"),
        ("kneeoa/a.py", "import value", "import value as other"),
        ("script.py", "print(value)", "print(-value)"),
    ],
)
def test_an_edit_within_reach_changes_the_digest(library: Path, file: str, old: str, new: str) -> None:
    before = closure.code_digest(library / "script.py")
    _edit(library / file, old, new)
    assert closure.code_digest(library / "script.py") != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("kneeoa/b.py", "# one", "# the only one"),
        ("kneeoa/b.py", '    """Doc."""', '    """Another text."""'),
        ("kneeoa/b.py", "value = 1", "value   =   1"),
        ("kneeoa/c.py", "member = 3", "member = 4"),
        ("kneeoa/d.py", "T = int", "T = str"),
    ],
)
def test_comments_docstrings_formatting_and_strangers_change_nothing(library: Path, file: str, old: str, new: str) -> None:
    before = closure.code_digest(library / "script.py")
    _edit(library / file, old, new)
    assert closure.code_digest(library / "script.py") == before


def test_a_named_member_belongs_to_the_digest(library: Path) -> None:
    before = closure.code_digest(library / "script.py", ["kneeoa.c"])
    assert before != closure.code_digest(library / "script.py")
    _edit(library / "kneeoa/c.py", "member = 3", "member = 4")
    assert closure.code_digest(library / "script.py", ["kneeoa.c"]) != before


def test_a_data_file_counts_byte_by_byte(library: Path) -> None:
    template = library / "page.html"
    template.write_text("a")
    before = closure.code_digest(library / "script.py", files=[template])
    template.write_text("b")
    assert closure.code_digest(library / "script.py", files=[template]) != before


def test_relative_imports_never_hide_code_from_the_digest() -> None:
    root = Path(closure.__file__).parent
    relative = [path for path in root.rglob("*.py") if "from ." in path.read_text()]
    assert relative == []


def test_what_one_process_read_the_next_recalls(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "code.json"
    monkeypatch.setattr(closure, "_KNOWN", {})
    kept: list[tuple[object, ...]] = []
    monkeypatch.setattr(closure.atexit, "register", lambda function, *arguments: kept.append((function, *arguments)))
    closure.recall(memory)
    digest = closure.code_digest(library / "script.py", ["kneeoa.c"])
    function, *arguments = kept.pop()
    function(*arguments)  # type: ignore[operator]
    assert memory.is_file()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("parsed anew")

    monkeypatch.setattr(closure, "_KNOWN", {})
    with monkeypatch.context() as context:
        context.setattr(closure.ast, "parse", refuse)
        closure.recall(memory)
        assert closure.code_digest(library / "script.py", ["kneeoa.c"]) == digest
        _edit(library / "kneeoa/b.py", "value = 1", "value = 22")
        with pytest.raises(AssertionError, match="parsed anew"):
            closure.code_digest(library / "script.py")


def test_a_memory_of_other_modules_or_damaged_is_not_believed(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "code.json"
    monkeypatch.setattr(closure, "_KNOWN", {})
    closure.code_digest(library / "script.py")
    closure._remember(memory, frozenset())
    (library / "kneeoa" / "value.py").write_text("")  # now `from kneeoa import value` would mean a module
    for _ in range(2):
        monkeypatch.setattr(closure, "_KNOWN", {})
        closure.recall(memory)
        assert closure._KNOWN == {}
        memory.write_text("not JSON")


def test_the_version_of_a_package_counts_where_it_is_imported(library: Path) -> None:
    (library / "kneeoa/b.py").write_text("import os\nimport sklearn.svm\nimport pydantic\nvalue = 1\n")
    script = library / "script.py"
    assert closure.distributions(script) == {"scikit-learn"}
    pins = {"scikit-learn": "1.0", "pydantic": "2.0", "filelock": "3.0"}
    before = closure.code_digest(script, pins=pins)
    assert before != closure.code_digest(script)
    assert before == closure.code_digest(script, pins=pins | {"pydantic": "2.1", "filelock": "3.1"})
    assert before != closure.code_digest(script, pins=pins | {"scikit-learn": "1.1"})


def test_pins_are_read_from_every_lock_with_markers_left_out(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text('# Made by; a==1\nTorch_Vision==0.2 ; sys_platform == "linux"\n')
    (tmp_path / "analysis.txt").write_text("matplotlib==3.1\n")
    assert closure.pinned(tmp_path) == {"torch-vision": "0.2", "matplotlib": "3.1"}


def test_every_package_that_the_library_imports_is_pinned() -> None:
    root = Path(closure.__file__).parents[3]
    pins = closure.pinned(root / "envs")
    used = set().union(*(closure.distributions(script) for script in (root / "scripts").glob("*.py")))
    assert len(used) > 10
    assert used <= pins.keys()
