"""The rerun table: each edit makes exactly the rules run that its row says. Real edits, real dry
runs, on studies marked as finished.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kneeoa import declarations, figures_and_tables
from kneeoa.config.study import load
from tests.dag import ROOT
from tests.rerun import code, files, keys_of_analyses, keys_of_data, keys_of_runs, sample, table
from tests.rerun.keys import keys
from tests.rerun.plan import Planner, jobs_of
from tests.rerun.row import Row, changed, differences, plan
from tests.rerun.rules import ASKED_FOR, EVERYTHING, FIGURES, TABLES, after
from tests.rerun.sample import Edits, chosen
from tests.rerun.studies import finished

KEYS = [*keys_of_data.ROWS, *keys_of_runs.ROWS, *keys_of_analyses.ROWS]
PACKAGES = {
    "statistics": code.STATISTICS,
    "geometry": code.GEOMETRY,
    "anatomy": code.ANATOMY,
    "figures": code.FIGURE_FILES,
    "presentation": code.PRESENTATION,
    "paper_tables": code.TABLE_FILES,
}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Planner, dict[str, set[str]]]]:
    planner, has = finished(tmp_path_factory.mktemp("table") / "clone")
    with planner:
        yield planner, has


@pytest.mark.slow
@pytest.mark.parametrize("row", chosen([*KEYS, *code.ROWS, *files.ROWS]), ids=lambda row: row.name)
def test_an_edit_reruns_exactly_what_its_row_says(studies: tuple[Planner, dict[str, set[str]]], row: Row) -> None:
    planner, has = studies
    if row.name == "training.tensorboard":
        pytest.importorskip("tensorboard", reason="the key is refused where TensorBoard is not installed")
    assert differences(row, plan(row, planner), has[row.study]) == []


@pytest.mark.parametrize("row", KEYS, ids=lambda row: row.name)
def test_the_edit_of_a_row_is_a_configuration_that_can_be_used(row: Row) -> None:
    if row.name == "training.tensorboard":
        pytest.importorskip("tensorboard", reason="the key is refused where TensorBoard is not installed")
    study = yaml.safe_load((ROOT / row.study).read_text())
    assert load({key: value for key, value in changed(study, row.changes).items() if key != "pathvars"}).study


def test_every_key_of_the_configuration_has_a_row() -> None:
    rows = [row.name for row in KEYS]
    assert sorted(rows) == sorted(keys())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_of_a_package_has_a_row(package: str) -> None:
    modules = {path.stem for path in (ROOT / code.LIBRARY / package).glob("*.py")} - {"__init__"}
    assert set(PACKAGES[package]) == modules


def test_every_backbone_has_a_row() -> None:
    options = (ROOT / code.LIBRARY / "backbones" / "options").glob("*.py")
    assert {path.stem for path in options} - {"__init__", "base"} == set(code.KINDS)


def test_every_plugin_has_a_row() -> None:
    options = {path.stem for path in (ROOT / code.LIBRARY / "plugins" / "options").glob("*.py")} - {"__init__", "base"}
    assert {name.removeprefix("options/") for name in code.PLUGINS if name.startswith("options/")} == options


def test_every_kind_of_level_has_a_row() -> None:
    files = {path.stem for path in (ROOT / code.LIBRARY / "levels").glob("*.py")}
    assert files - {"__init__", "interface", "registry"} == set(code.LEVEL_KINDS)


@pytest.mark.parametrize("folder", code.REGISTRIES)
def test_every_member_of_a_registry_has_a_row(folder: str) -> None:
    constant, listed = code.REGISTRIES[folder]
    assert set(listed) == members(folder, constant)


def members(folder: str, constant: str) -> set[str]:
    """The files of a registry's folder: those that declare a constant, or the readers of cohorts,
    which have a file of paths.
    """
    place = ROOT / code.LIBRARY / folder
    return set(declarations.members(place, constant)) or {path.stem.removesuffix("_paths") for path in place.glob("*_paths.py")}


def test_every_rule_has_its_place_in_what_follows_from_what() -> None:
    scripts = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert scripts - ASKED_FOR == {rule.split()[0] for rule in EVERYTHING} | {"ensemble"}


def test_every_figure_and_table_has_its_place_in_what_follows_from_what() -> None:
    declared = {"figure": figures_and_tables.figures(), "table": figures_and_tables.tables()}
    assert {f"{kind} {name}" for kind, names in declared.items() for name in names} == FIGURES | TABLES


def test_the_page_of_the_table_is_current() -> None:
    assert Path(ROOT / "docs" / "reruns.md").read_text() == table.markdown(), "run: make reference"


def test_what_follows_is_told_from_what_begins() -> None:
    output = (
        "Job stats:\n\nrule metrics:\n    output: a.parquet\n    reason: Params have changed since last execution: x\n"
        "rule figure:\n    output: b.pdf, b.png\n"
        "    reason: Input files updated by another job: a.parquet\n    wildcards: figure=roc, seed=1\n"
    )
    first, second = jobs_of(output)
    assert (first.rule, first.first, second.rule, second.first) == ("metrics", True, "figure roc", False)
    assert second.wildcards == {"figure": "roc", "seed": "1"}
    row = Row("an edit", frozenset({"metrics"}))
    follow = after({"metrics"})
    assert {"metrics", "figure roc", "figure reliability", "figure confusion", "table metrics", "report"} <= follow
    assert not {"predict", "contrasts", "figure decision", "table arms"} & follow
    assert differences(row, [first, second], {"metrics", "figure roc"}) == []
    assert differences(row, [second], {"metrics", "figure roc"}) == ["an edit: metrics should run, and does not"]
    stray = second._replace(rule="contrasts", first=True)
    assert len(differences(row, [first, second, stray], {"metrics", "figure roc"})) == 2


def test_an_edit_touches_the_row_of_its_file_or_of_the_key_that_its_lines_name() -> None:
    edits = Edits(frozenset({"workflow/lib/kneeoa/a.py"}), frozenset({"resamples"}))
    rows = [
        Row("a.py", frozenset(), file="workflow/lib/kneeoa/a.py"),
        Row("b.py", frozenset(), file="workflow/lib/kneeoa/b.py"),
        Row("statistics.resamples", frozenset(), changes={"statistics.resamples": 201}),
        Row("statistics.seed", frozenset(), changes={"statistics.seed": 43}),
    ]
    assert [row.name for row in rows if edits.touch(row)] == ["a.py", "statistics.resamples"]


def test_a_tenth_of_the_rows_and_those_that_an_edit_touches_are_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [Row(f"{number}.py", frozenset(), file=f"{number}.py") for number in range(100)]
    monkeypatch.delenv("KNEEOA_BASE", raising=False)
    monkeypatch.setattr(sample, "EVERY", 10)
    monkeypatch.setattr(sample, "git", lambda *_: None)
    assert [row.name for row in chosen(rows)] == [f"{number}.py" for number in range(0, 100, 10)]  # no git, no history
    answers = {"rev-parse": "f", "merge-base": "e", "diff": "7.py\n12.py", "ls-files": "31.py"}
    monkeypatch.setattr(sample, "git", lambda command, *_: answers[command])
    tenth = [f"{number}.py" for number in range(5, 100, 10)]
    assert {row.name for row in chosen(rows)} == {*tenth, "7.py", "12.py", "31.py"}
    monkeypatch.setattr(sample, "TOUCHED", 2)
    assert {row.name for row in chosen(rows)} == {*tenth, "12.py"}  # every second of three, from the second on
