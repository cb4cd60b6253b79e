"""The declarations of figures and tables are read without importing them, and a slip in it is one
sentence that names the file.
"""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from kneeoa import figures_and_tables
from kneeoa.errors import KneeoaError

LIBRARY = Path(figures_and_tables.__file__).parent

DECLARED = """
FIGURE = {
    "section": "prediction",
    "title": "A figure",
    "caption": "Of {sample}.",
    "alternative": "A picture.",
    "inputs": ["metrics"],
    "settings": {"arms": "arms"},
}
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of one figure, `mine`."""
    for folder in ("figures", "paper_tables"):
        (tmp_path / folder).mkdir()
    (tmp_path / "figures" / "helper.py").write_text("FIGURES = 1\n")
    (tmp_path / "figures" / "mine.py").write_text(DECLARED)
    monkeypatch.setattr(figures_and_tables, "_LIBRARY", tmp_path)
    for read in (figures_and_tables.figures, figures_and_tables.tables):
        monkeypatch.setattr(figures_and_tables, read.__name__, read.__wrapped__)  # nothing is remembered of another library
    return tmp_path


def edit(library: Path, old: str, new: str) -> None:
    path = library / "figures" / "mine.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_what_is_read_from_the_text_is_what_the_module_binds() -> None:
    for package, name, declarations in (
        ("figures", "FIGURE", figures_and_tables.figures()),
        ("paper_tables", "TABLE", figures_and_tables.tables()),
    ):
        assert len(declarations) > 10
        for module, declared in declarations.items():
            bound = getattr(importlib.import_module(f"kneeoa.{package}.{module}"), name)
            assert type(declared).model_validate(bound) == declared


def test_the_report_can_print_every_table() -> None:
    for module in figures_and_tables.tables():
        printer = importlib.import_module(f"kneeoa.paper_tables.{module}").tabulars
        assert list(inspect.signature(printer).parameters) == ["rows", "names", "labels"], module


def test_every_module_that_draws_or_has_rows_is_declared() -> None:
    for package, function, declarations in (
        ("figures", "draw", figures_and_tables.figures()),
        ("paper_tables", "csv_rows", figures_and_tables.tables()),
    ):
        modules = {path.stem for path in (LIBRARY / package).glob("*.py") if f"\ndef {function}(" in path.read_text()}
        assert modules - {"registry", "quality"} == set(declarations)  # quality control has a rule of its own


def test_reading_them_imports_neither_numpy_nor_matplotlib_nor_pandas() -> None:
    code = "import sys; from kneeoa import figures_and_tables as d; d.figures(); d.tables(); print(*sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(LIBRARY.parent)}, capture_output=True, text=True, check=True
    )
    assert not {"numpy", "pandas", "matplotlib", "pyarrow"} & set(imported.stdout.split())


def test_order_is_that_of_sections_then_of_places_then_of_names(library: Path) -> None:
    for name, section, place in (("b", "training", 0), ("a", "training", 0), ("first", "training", -1), ("last", "anatomy", 0)):
        text = DECLARED.replace('"prediction",', f'"{section}",\n    "place": {place},')
        (library / "figures" / f"{name}.py").write_text(text)
    assert list(figures_and_tables.figures()) == ["first", "a", "b", "mine", "last"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"prediction"', '"predictions"', "the report has no section 'predictions'; allowed are design, cohorts"),
        ('"title"', '"titel"', "the key 'titel' is not known; did you mean 'title'?"),
        ("{sample}", "{samples}", "the caption names {samples}; allowed are {confidence}, {sample}, {auc_interval}"),
        ("{sample}", "{", "mine.py: FIGURE: "),
        ("}\n", '    "needs": ["mask"],\n}\n', "'needs[0]' is 'mask'; allowed are 'binary_level'"),
        ('["metrics"]', "METRICS", "FIGURE must be a literal"),
        ('    "title": "A figure",\n', "", "the key 'title' is missing"),
        ("FIGURE = {", "FIGURE = dict({", "FIGURE must be a literal"),
    ],
)
def test_a_slip_is_one_sentence_that_names_the_file(library: Path, old: str, new: str, words: str) -> None:
    figures_and_tables.figures()
    edit(library, old, new)
    with pytest.raises(KneeoaError) as caught:
        figures_and_tables.figures()
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{library / 'figures' / 'mine.py'}: ")
    assert "\n" not in str(caught.value)


def test_a_source_that_is_not_there_is_named_with_the_file(library: Path) -> None:
    figures_and_tables.check_sources(["metrics"], ["arms"])
    with pytest.raises(KneeoaError, match=r"mine\.py: 'inputs' of FIGURE names 'metrics'; .* has contrasts\."):
        figures_and_tables.check_sources(["contrasts"], ["arms"])
    with pytest.raises(KneeoaError, match=r"mine\.py: 'settings' of FIGURE names 'arms'"):
        figures_and_tables.check_sources(["metrics"], [])
