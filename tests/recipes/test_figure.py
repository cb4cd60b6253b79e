"""The recipes of docs/extending.md for a figure and a table, carried out on a copy of the tree from
the page's own blocks: both are in the plan, are made, enter the report, and their modules belong to
nothing else. Before its row is there, the rerun test names each.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dag import copy_tree
from tests.recipes import page
from tests.rerun.definition_edits import edited_definition
from tests.rerun.plan import Job, Planner
from tests.rerun.row import IMPORTS
from tests.rerun.studies import raw_files
from tests.unit.figures import synthetic

RECIPES = ("figure", "table")
MODULES = {"figure": "workflow/lib/kneeoa/figures/brier.py", "table": "workflow/lib/kneeoa/paper_tables/brier.py"}
RESULTS = "results/elsewhere"
MADE = [f"{RESULTS}/figures/brier.pdf", f"{RESULTS}/figures/brier.png", f"{RESULTS}/tables/brier.csv", f"{RESULTS}/tables/brier.tex"]
ROWS = "tests/rerun/rules.py"


def write(tree: Path, *, rows: bool) -> None:
    """Write the recipes' modules, or their rows, into a tree as the page says."""
    for recipe in RECIPES:
        for block in page.code(recipe):
            if bool(block.place) == rows:
                page.write(tree, block)


def rerun_tests(tree: Path) -> subprocess.CompletedProcess[str]:
    """The quick tests of the rerun table in a tree: what has no row, and whether the page is
    current.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", "-n", "0", "tests/rerun/test_table.py"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "PYTHONPATH"))}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    """A copy of the tree with the recipes' modules, in which a study of imported predictions is
    marked as finished.
    """
    folder = copy_tree(tmp_path_factory.mktemp("recipes") / "clone")
    write(folder, rows=False)
    raw_files(folder / "raw")
    with Planner(folder, {"KNEEOA_RERUN": str(folder / "raw")}) as planner:
        planner.mark_finished("--configfile", IMPORTS)
        yield planner


def planned(planner: Planner) -> dict[str, Job]:
    return {job.rule: job for job in planner.plan("--configfile", IMPORTS)}


def edited(planner: Planner, file: str, old: str, new: str) -> Iterator[None]:
    path = planner.folder / file
    text, status = path.read_text(), path.stat()
    assert old in text, f"{file} no longer holds {old!r}"
    path.write_text(text.replace(old, new, 1))
    yield
    path.write_text(text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_the_page_has_a_module_and_a_row_for_each() -> None:
    for recipe in RECIPES:
        assert [(block.file, block.name) for block in page.code(recipe)] == [(MODULES[recipe], ""), (ROWS, "SHOWN")]


def test_the_rerun_test_names_what_has_no_row_and_is_content_with_the_pages_rows(planner: Planner, tmp_path: Path) -> None:
    without = rerun_tests(planner.folder)
    assert without.returncode == 1, without.stdout[-2000:] + without.stderr[-2000:]
    assert "'figure brier'" in without.stdout
    assert "'table brier'" in without.stdout
    tree = shutil.copytree(planner.folder, tmp_path / "tree", ignore=shutil.ignore_patterns("results", ".snakemake"), symlinks=True)
    write(tree, rows=True)
    table = subprocess.run(
        [sys.executable, "-m", "tests.rerun.table"], cwd=tree, env={"PYTHONPATH": "workflow/lib:."}, capture_output=True, check=True
    )
    (tree / "docs" / "reruns.md").write_bytes(table.stdout)
    assert b"figures/brier.py | figure brier | 2 |" in table.stdout
    content = rerun_tests(tree)
    assert content.returncode == 0, content.stdout[-2000:]


def test_a_study_that_has_what_they_need_makes_them_and_the_report_with_them(planner: Planner) -> None:
    for file in MADE:
        (planner.folder / file).unlink()
    try:
        jobs = planned(planner)
        assert set(jobs) == {"figure brier", "table brier", "report"}
        assert sorted(jobs["figure brier"].outputs + jobs["table brier"].outputs) == sorted(MADE)
    finally:
        for file in MADE:
            (planner.folder / file).touch()
    assert planned(planner) == {}


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_edit_of_its_module_makes_it_alone_again_and_the_report(planner: Planner, recipe: str) -> None:
    text = (planner.folder / MODULES[recipe]).read_text()
    function = {"figure": "draw", "table": "csv_rows"}[recipe]
    for _ in edited(planner, MODULES[recipe], text, edited_definition(text, function)):
        assert set(planned(planner)) == {f"{recipe} brier", "report"}


def test_a_slip_in_the_declaration_stops_with_one_sentence_that_names_the_file(planner: Planner) -> None:
    for _ in edited(planner, MODULES["figure"], '["metrics"]', '["metric"]'):
        words = planner.run("-n", "--configfile", IMPORTS, refused=True)
    assert "figures/brier.py: 'inputs' of FIGURE names 'metric'; workflow/inputs/figures.smk has all_measures, anatomy" in words
    assert "Traceback" not in words


REPORT = """
import sys
from pathlib import Path

from kneeoa import figures_and_tables
from kneeoa.report.page import Entry, write_report

words = {"section", "title", "caption", "alternative"}
figure, table = (read()["brier"].model_dump(include=words) for read in (figures_and_tables.figures, figures_and_tables.tables))
write_report(
    study="s", title="", question="", arms={"resnet3d-dual": {"backbone": "resnet3d", "mode": "dual"}}, flows=[], provenance={},
    figures={"brier": Entry(Path(sys.argv[1]), **figure)}, tables={"brier": Entry(Path(sys.argv[2]), **table)}, out=Path(sys.argv[3]),
)
"""


def test_they_are_made_and_stand_in_the_report(planner: Planner, tmp_path: Path) -> None:
    metrics = planner.folder / RESULTS / "statistics" / "metrics.parquet"
    shutil.copyfile(synthetic.metrics(tmp_path), metrics)
    for file in MADE:
        (planner.folder / file).unlink()
    planner.run(*MADE, "--configfile", IMPORTS)
    assert [(planner.folder / file).read_bytes()[:4] for file in MADE[:2]] == [b"%PDF", b"\x89PNG"]
    assert (planner.folder / MADE[2]).read_text().startswith("study,arm,seed,")
    assert "ResNet3D & Dual & 0.150" in (planner.folder / MADE[3]).read_text()
    report = tmp_path / "report.html"
    subprocess.run(
        [sys.executable, "-c", REPORT, *(planner.folder / file for file in MADE[1:3]), report],
        env={"PYTHONPATH": str(planner.folder / "workflow" / "lib")}, check=True,
    )  # fmt: skip
    text = report.read_text()
    assert "Brier scores.</b> Brier score of each arm, the mean over its seeds, with its 95 % interval; lower is better." in text
    assert re.search(r"Table 1\. Brier scores", text)
