"""The code digest: an edit that can change a result changes it, anything else does not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kneeoa.reruns import code_digest
from kneeoa.reruns.renames import Renames

LIBRARY = {
    "__init__.py": '"""Doc."""\n',
    "a.py": """
        \"\"\"Doc.\"\"\"
        from typing import TYPE_CHECKING
        import numpy as np
        from kneeoa import c
        from kneeoa.b import LIMIT, double as twice
        from kneeoa.package import reexported
        if TYPE_CHECKING:
            from kneeoa.d import T

        def used(x: float) -> float:
            \"\"\"Doc.\"\"\"
            result = twice(x)  # a comment
            total: float = result + np.sqrt(LIMIT)
            return total

        def unused(x: float) -> float:
            return reexported(x)

        def whole_module() -> object:
            return vars(c)
        """,
    "b.py": """
        LIMIT: float = 2
        SPARE = 3

        def double(x: float) -> float:
            return 2 * x

        def triple(x: float) -> float:
            return 3 * x

        class Base:
            factor: int = SPARE

            def scaled(self, x: float) -> float:
                return self.factor * x
        """,
    "c.py": """
        from kneeoa.b import Base

        class Member(Base):
            pass

        def build() -> Member:
            return Member()
        """,
    "d.py": "T = int\n",
    "effects.py": """
        import random
        from kneeoa.b import triple
        random.seed(triple(1))

        def calm() -> int:
            return 1
        """,
    "package/__init__.py": "from kneeoa.package.inner import reexported\n",
    "package/inner.py": "def reexported(x: float) -> float:\n    return -x\n",
}
SCRIPT = "from kneeoa.a import used\nprint(used(1))\n"


def _text(body: str) -> str:
    lines = body.strip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines) + "\n"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small library, and a script that uses one function of it."""
    for name, body in LIBRARY.items():
        path = tmp_path / "kneeoa" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(_text(body))
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.setattr(code_digest, "_LIBRARY", tmp_path)
    return tmp_path


Digest = Callable[..., str]


@pytest.fixture
def digest(library: Path) -> Digest:
    """The digest of the script, of another text of it where one is given."""

    def of(text: str = SCRIPT, *modules: str, **more: object) -> str:
        (library / "script.py").write_text(text)
        renames = more.pop("renames", None)
        code = code_digest.Library(renames)  # type: ignore[arg-type]
        return code_digest.digest_of(code.code_parts(library / "script.py", modules, **more))  # type: ignore[arg-type]

    return of


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_what_is_reached_is_followed_by_name_through_modules(library: Path) -> None:
    reached = code_digest.Library().reach(library / "script.py")
    assert reached.parts.keys() == {"script:", "kneeoa.a:used", "kneeoa.b:double", "kneeoa.b:LIMIT"}
    assert reached.packages == {"numpy"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("a.py", "result + np", "result - np"),
        ("a.py", "np.sqrt", "np.exp"),
        ("a.py", "import numpy as np", "import cupy as np"),
        ("a.py", "double as twice", "triple as twice"),
        ("b.py", "2 * x", "x + x"),
        ("b.py", "LIMIT: float = 2", "LIMIT: float = 4"),
    ],
)
def test_an_edit_of_what_is_reached_changes_the_digest(library: Path, digest: Digest, file: str, old: str, new: str) -> None:
    before = digest()
    edit(library / "kneeoa" / file, old, new)
    assert digest() != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("a.py", "# a comment", "# another comment"),
        ("a.py", '    """Doc."""\n    result', '    """Other."""\n    result'),
        ("a.py", "result = twice(x)", "result   =   twice( x )"),
        ("a.py", 'x: float) -> float:\n    """', 'x: int) -> int:\n    """'),
        ("a.py", "total: float = ", "total = "),
        ("a.py", "return reexported(x)", "return 0"),
        ("a.py", "import numpy as np\n", "import numpy as np\nimport random\n"),
        ("b.py", "3 * x", "x + x + x"),
        ("b.py", "SPARE = 3", "SPARE = 4"),
        ("b.py", "LIMIT: float = 2\nSPARE = 3\n", "SPARE = 3\nLIMIT: float = 2\n"),
        ("b.py", "def triple", "def quadruple(x: float) -> float:\n    return 4 * x\n\ndef triple"),
        ("c.py", "pass", "added = 1"),
        ("d.py", "int", "str"),
        ("package/inner.py", "-x", "+x"),
    ],
)
def test_what_changes_no_result_or_is_not_reached_changes_nothing(library: Path, digest: Digest, file: str, old: str, new: str) -> None:
    before = digest()
    edit(library / "kneeoa" / file, old, new)
    assert digest() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("result = twice(x)  # a comment\n    total: float = result +", "doubled = twice(x)\n    total: float = doubled +"),
        ("double as twice", "double"),
        ("from kneeoa.b import LIMIT, double as twice", "from kneeoa import b"),
        ("import numpy as np\n", "from numpy import sqrt\n"),
    ],
)
def test_names_of_local_variables_and_styles_of_import_change_nothing(library: Path, digest: Digest, old: str, new: str) -> None:
    before = digest()
    path = library / "kneeoa" / "a.py"
    edit(path, old, new)
    if "twice" not in path.read_text().split("def used")[0]:
        text = path.read_text().replace("twice(", "double(" if "import LIMIT" in path.read_text() else "b.double(")
        path.write_text(text if "import LIMIT" in text else text.replace("(LIMIT)", "(b.LIMIT)"))
    path.write_text(path.read_text().replace("np.sqrt", "sqrt") if "import sqrt" in path.read_text() else path.read_text())
    assert digest() == before


BODIES = [
    "def used(x):\n    a = x\n    b = 2\n    return a - b\n",
    "def used(x):\n    a = x\n    b = 2\n    return b - a\n",
    "def used(x):\n    x = 2\n    b = x\n    return b - x\n",
    "def used(a):\n    x = 2\n    b = x\n    return b - x\n",
    "def used(x):\n    a = x\n    a = 2\n    return a - a\n",
    "def used(x):\n    global a\n    a = x\n    b = 2\n    return a - b\n",
    "def used(x):\n    a = x\n    b = 2\n    return [a for a in range(x)]\n",
    "def used(x):\n    a = x\n    b = 2\n    return [b for a in range(x)]\n",
    "def used(x):\n    a = x\n    b = 2\n    return locals()\n",
    "def used(x):\n    c = x\n    b = 2\n    return locals()\n",
    "def used(x):\n    a = x\n    b = 2\n    return f'{a=}'\n",
    "def used(x):\n    c = x\n    b = 2\n    return f'{c=}'\n",
    "def used(x):\n    a = x\n    def f(a):\n        return a\n    return f\n",
    "def used(x):\n    a = x\n    def f(b):\n        return a\n    return f\n",
]


def test_functions_that_do_something_else_have_other_digests(library: Path, digest: Digest) -> None:
    """Numbering the local variables never makes two of these alike."""
    digests = set()
    for body in BODIES:
        (library / "kneeoa" / "a.py").write_text(body + f"# {len(digests)}\n")
        digests.add(digest())
    assert len(digests) == len(BODIES)


def test_a_method_belongs_to_its_class_and_a_class_to_its_heirs(library: Path, digest: Digest) -> None:
    script = "from kneeoa.c import Member\nprint(Member().scaled(2))\n"
    before = digest(script)
    edit(library / "kneeoa" / "b.py", "SPARE = 3", "SPARE = 4")
    middle = digest(script)
    edit(library / "kneeoa" / "b.py", "self.factor * x", "x * self.factor")
    assert len({before, middle, digest(script)}) == 3


def test_a_registry_member_that_a_rule_names_counts_whole(library: Path, digest: Digest) -> None:
    before = digest(SCRIPT, "kneeoa.c")
    assert before != digest()
    edit(library / "kneeoa" / "b.py", "self.factor * x", "x * self.factor")
    assert digest(SCRIPT, "kneeoa.c") != before


@pytest.mark.parametrize("use", ["print(vars(b))", "print(getattr(b, 'tri' + 'ple')(1))", "print([b][0].triple(1))"])
def test_a_module_that_is_handed_on_counts_whole(library: Path, digest: Digest, use: str) -> None:
    script = f"from kneeoa import b\n{use}\n"
    before = digest(script)
    edit(library / "kneeoa" / "b.py", "3 * x", "x + x + x")
    assert digest(script) != before


def test_what_runs_at_import_counts_wherever_the_module_is_imported(library: Path, digest: Digest) -> None:
    script = "from kneeoa.effects import calm\nprint(calm())\n"
    before = digest(script)
    edit(library / "kneeoa" / "b.py", "3 * x", "x + x + x")
    assert digest(script) != before, "the effect calls it"


def test_an_import_within_a_function_counts_where_the_function_is_reached(library: Path, digest: Digest) -> None:
    edit(library / "kneeoa" / "a.py", "    result = twice(x)", "    from kneeoa.b import triple\n    import scipy\n    result = triple(x)")
    before = digest()
    assert "scipy" in code_digest.Library().reach(library / "script.py").packages
    edit(library / "kneeoa" / "b.py", "3 * x", "x + x + x")
    assert digest() != before


def test_a_constant_that_is_changed_after_it_was_made_counts_with_the_change(library: Path, digest: Digest) -> None:
    path = library / "kneeoa" / "b.py"
    edit(path, "SPARE = 3", "SPARE = 3\nLIMIT += 1")
    first = digest()
    edit(path, "LIMIT += 1", "LIMIT += 2")
    assert digest() != first


def test_a_function_registered_by_a_decorator_counts_with_what_it_is_registered_at(library: Path, digest: Digest) -> None:
    path = library / "kneeoa" / "b.py"
    edit(path, "def triple", "@double.register\ndef _(x: int) -> int:\n    return 0\n\ndef triple")
    first = digest()
    edit(path, "return 0", "return 1")
    second = digest()
    edit(path, "x: int", "x: str")
    assert len({first, second, digest()}) == 3, "a decorator may read annotations"


@pytest.mark.parametrize("target", ["kneeoa.b:twofold", "kneeoa.new:double", "kneeoa.new:twofold"])
def test_a_moved_or_renamed_definition_keeps_its_digest_through_the_table(library: Path, digest: Digest, target: str) -> None:
    before = digest()
    module, name = target.split(":")
    old = (library / "kneeoa" / "b.py").read_text()
    definition = "def double(x: float) -> float:\n    return 2 * x\n"
    (library / "kneeoa" / "b.py").write_text(old.replace(definition, ""))
    with (library / (module.replace(".", "/") + ".py")).open("a") as file:
        file.write(definition.replace("double", name))
    edit(library / "kneeoa" / "a.py", "LIMIT, double as twice", f"LIMIT\nfrom {module} import {name} as twice")
    code_digest._path.cache_clear()
    code_digest._module_of.cache_clear()
    assert digest() != before
    assert digest(renames=Renames({target: "kneeoa.b:double"})) == before


def test_a_renamed_module_keeps_the_digests_of_all_that_it_holds(library: Path, digest: Digest) -> None:
    before = digest()
    (library / "kneeoa" / "b.py").rename(library / "kneeoa" / "z.py")
    for name in ("a.py", "c.py", "effects.py"):
        edit(library / "kneeoa" / name, "from kneeoa.b import", "from kneeoa.z import")
    code_digest._path.cache_clear()
    code_digest._module_of.cache_clear()
    assert digest(renames=Renames({"kneeoa.z": "kneeoa.b"})) == before


def test_a_reexported_name_is_what_it_was_imported_as(library: Path, digest: Digest) -> None:
    through = digest("from kneeoa.package import reexported\nprint(reexported(1))\n")
    assert through == digest("from kneeoa.package.inner import reexported\nprint(reexported(1))\n")
    edit(library / "kneeoa" / "package" / "inner.py", "-x", "+x")
    assert through != digest("from kneeoa.package import reexported\nprint(reexported(1))\n")


def test_a_data_file_counts_byte_by_byte(library: Path, digest: Digest) -> None:
    template = library / "page.html"
    template.write_text("a")
    before = digest(files=[template])
    template.write_text("b")
    assert digest(files=[template]) != before


def test_the_version_of_a_package_counts_where_a_reached_definition_uses_it(library: Path, digest: Digest) -> None:
    edit(library / "kneeoa" / "a.py", "def unused", "import sklearn.svm\ndef unused")
    edit(library / "kneeoa" / "a.py", "return reexported(x)", "return sklearn.svm.SVC(x)")
    edit(library / "kneeoa" / "a.py", "result = twice(x)", "import pydantic, os\n    result = twice(x)")
    script = library / "script.py"
    assert code_digest.Library().reach(script).distributions == {"numpy"}
    pins = {"numpy": "1.0", "scikit-learn": "1.0", "pydantic": "2.0"}
    before = digest(pins=pins)
    assert before != digest()
    assert before == digest(pins=pins | {"pydantic": "2.1", "scikit-learn": "1.1"})
    assert before != digest(pins=pins | {"numpy": "1.1"})


def test_a_package_imported_for_its_effect_counts_wherever_the_module_is_imported(library: Path) -> None:
    edit(library / "kneeoa" / "b.py", "LIMIT", "import hdf5plugin\nLIMIT")
    assert code_digest.Library().reach(library / "script.py").packages == {"numpy", "hdf5plugin"}


def test_members_that_a_study_has_count_wherever_the_definition_that_imports_them_is_reached(library: Path) -> None:
    def digests(*members: str) -> list[str]:
        codes = code_digest.Library(members={"kneeoa.b:double": members})
        scripts = {"reaches.py": SCRIPT, "does_not.py": "from kneeoa.b import triple\nprint(triple(1))\n"}
        for name, text in scripts.items():
            (library / name).write_text(text)
        return [code_digest.digest_of(codes.code_parts(library / name)) for name in scripts]

    reaches, does_not = digests("kneeoa.c")
    assert digests()[0] != reaches
    edit(library / "kneeoa" / "c.py", "return Member()", "return Member() or None")
    assert digests("kneeoa.c")[0] != reaches
    assert digests("kneeoa.c")[1] == does_not == digests()[1]


def test_what_one_process_read_the_next_recalls(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "code.json"
    monkeypatch.setattr(code_digest, "_KNOWN", {})
    kept: list[tuple[object, ...]] = []
    monkeypatch.setattr(code_digest.atexit, "register", lambda function, *arguments: kept.append((function, *arguments)))
    code_digest.load_cache(memory)
    digest = code_digest.Library().code_parts(library / "script.py", ["kneeoa.c"])
    function, *arguments = kept.pop()
    function(*arguments)  # type: ignore[operator]
    assert memory.is_file()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("parsed anew")

    monkeypatch.setattr(code_digest, "_KNOWN", {})
    code_digest.load_cache(memory)
    with monkeypatch.context() as patch:
        patch.setattr(code_digest.definitions, "read", refuse)
        assert code_digest.Library().code_parts(library / "script.py", ["kneeoa.c"]) == digest
        edit(library / "kneeoa" / "b.py", "3 * x", "x + x + x")
        with pytest.raises(AssertionError, match="parsed anew"):
            code_digest.Library().code_parts(library / "script.py")


@pytest.mark.parametrize("content", ["not JSON", "[]", json.dumps({"of": "another Python", "key": 1}), ""])
def test_a_memory_that_is_damaged_or_of_another_python_is_not_believed(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setattr(code_digest, "_KNOWN", {})
    monkeypatch.setattr(code_digest.atexit, "register", lambda *_: None)
    (tmp_path / "code.json").write_text(content)
    code_digest.load_cache(tmp_path / "code.json")
    assert code_digest._KNOWN == {}


def test_pins_are_read_from_every_lock_with_markers_left_out(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text('# Made by; a==1\nTorch_Vision==0.2 ; sys_platform == "linux"\n')
    (tmp_path / "analysis.txt").write_text("matplotlib==3.1\n")
    assert code_digest.pinned(tmp_path) == {"torch-vision": "0.2", "matplotlib": "3.1"}


ROOT = Path(code_digest.__file__).parents[4]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


def test_every_package_that_the_library_uses_is_pinned() -> None:
    pins = code_digest.pinned(ROOT / "envs")
    used = set().union(*(code_digest.Library().reach(script).distributions for script in SCRIPTS))
    assert len(used) > 8
    assert used <= pins.keys()


def test_relative_imports_never_hide_code_from_the_digest() -> None:
    relative = [path for path in (ROOT / "workflow" / "lib").rglob("*.py") if "from ." in path.read_text()]
    assert relative == []
