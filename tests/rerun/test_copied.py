"""A fresh clone beside copied results: nothing to do where the runs' own words agree, and a list of
what is stale where they do not.

The results are empty files beside the `run.json` that this clone would write: no job runs here.
That a real run writes the same is seen by test_a_clone_beside_copied_results_has_nothing_to_do
(tests/end_to_end/test_rerun.py).
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.dag import copy_tree
from tests.rerun.definition_edits import edited_definition
from tests.rerun.plan import Planner

STUDY = ["--configfile", "tests/small.yaml"]
EXPECTED = """
include: "Snakefile"
import json
open("expected.json", "w").write(json.dumps({arm.name: run_made_from(arm.name) for arm in STUDY.arms_table()}))
code_record.write(CODE_RECORDS, CODES)
"""
M3T = "results/small/runs/m3t-dual/seed-"
pytestmark = pytest.mark.slow


@contextmanager
def written(path: Path, content: bytes) -> Iterator[None]:
    """Another content for a while; the time stamp stays, as what follows from the file is newer."""
    before = path.read_bytes()
    _write(path, content)
    try:
        yield
    finally:
        _write(path, before)


def _write(path: Path, content: bytes) -> None:
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone beside results that Snakemake has no record of."""
    folder = copy_tree(tmp_path_factory.mktemp("copied") / "clone")
    (folder / "expected.smk").write_text(EXPECTED)
    with Planner(folder, {"KNEEOA_COPIED": "known"}) as planner:
        planner.mark_finished(*STUDY)
        planner.run("-n", "-s", "expected.smk", *STUDY)
    expected = json.loads((folder / "expected.json").read_text())
    for run in (folder / "results" / "small" / "runs").glob("*/seed-*/run.json"):
        _write(run, json.dumps({"provenance": expected[run.parts[-3]]}).encode())
    shutil.rmtree(folder / ".snakemake")
    return folder


@pytest.fixture(scope="module")
def planner(clone: Path) -> Iterator[Planner]:
    with Planner(clone) as planner:
        yield planner


def test_where_everything_agrees_there_is_nothing_to_do(planner: Planner) -> None:
    assert planner.plan(*STUDY) == []


def test_another_code_is_named_for_its_own_runs(planner: Planner) -> None:
    path = planner.folder / "workflow/lib/kneeoa/backbones/m3t.py"
    with written(path, edited_definition(path.read_text(), "build").encode()):
        words = planner.run("-n", *STUDY, refused=True)
    assert "2 runs were copied here" in words
    assert f"{M3T}1: code: kneeoa.backbones.m3t:build\n" in words
    assert f"{M3T}2: code: kneeoa.backbones.m3t:build\n" in words
    assert f"--forcerun {M3T}1/weights.safetensors {M3T}2/weights.safetensors" in words


def test_code_that_moved_is_believed_where_the_table_of_renames_says_so(planner: Planner) -> None:
    folder = planner.folder / "workflow/lib/kneeoa"
    old, user = folder / "training/seeding.py", folder / "training/run.py"
    source = old.read_text()
    users = [path for path in folder.rglob("*.py") if "kneeoa.training.seeding" in path.read_text()]
    assert user in users
    with ExitStack() as edits:
        for path in users:
            text = path.read_text().replace("kneeoa.training.seeding", "kneeoa.training.streams_of_numbers")
            edits.enter_context(written(path, text.encode()))
        new = folder / "training/streams_of_numbers.py"
        new.write_text(source)
        edits.callback(new.unlink)
        assert "8 runs were copied here" in planner.run("-n", *STUDY, refused=True)
        renamed = planner.folder / "workflow/renamed.json"
        before = renamed.read_bytes() if renamed.exists() else b"{}"
        renamed.write_text(json.dumps({**json.loads(before), "kneeoa.training.streams_of_numbers": "kneeoa.training.seeding"}))
        edits.callback(renamed.write_bytes, before)
        assert planner.plan(*STUDY) == []


def test_runs_of_a_version_that_kept_no_record_of_its_code_are_named(planner: Planner) -> None:
    path = planner.folder / "results" / "small" / "runs" / "m3t-dual" / "seed-1" / "run.json"
    made_from = json.loads(path.read_text())["provenance"]
    with written(path, json.dumps({"provenance": made_from | {"code": "0123456789abcdef"}}).encode()):
        words = planner.run("-n", *STUDY, refused=True)
    assert f"{M3T}1: code, of which no record was kept\n" in words


def test_another_configuration_is_named(planner: Planner) -> None:
    text = (planner.folder / "tests" / "small.yaml").read_text()
    (planner.folder / "edited.yaml").write_text(text.replace("epochs: 2", "epochs: 3"))
    message = planner.run("-n", "--configfile", "edited.yaml", refused=True)
    assert "8 runs were copied here" in message
    assert f"{M3T}1: configuration\n" in message


def test_other_data_are_named_by_their_file(planner: Planner) -> None:
    path = planner.folder / "results" / "small" / "splits" / "phantom.parquet"
    with written(path, b"other subjects"):
        words = planner.run("-n", *STUDY, refused=True)
    assert f"{M3T}1: data (phantom.parquet)\n" in words


def test_the_two_ways_on_are_taken_as_they_are_printed(clone: Path) -> None:
    path = clone / "results" / "small" / "runs" / "m3t-dual" / "seed-1" / "run.json"
    stale = json.dumps({"provenance": {"code": "of another time"}}).encode()
    with written(path, stale), Planner(clone, {"KNEEOA_COPIED": "known"}) as planner:
        assert [job for job in planner.plan(*STUDY) if job.first] == []
        jobs = planner.plan(*STUDY, "--forcerun", f"{M3T}1/weights.safetensors")
    assert [(job.rule, job.wildcards) for job in jobs if job.first] == [("train_run", {"arm": "m3t-dual", "seed": "1"})]
    assert {job.wildcards["arm"] for job in jobs if "arm" in job.wildcards} == {"m3t-dual"}
