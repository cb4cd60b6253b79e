"""The crate of the small study: every product is traced to its runs, nothing names a place, and the
public validator finds no fault.
"""

from __future__ import annotations

import getpass
import importlib.util
import json
import platform
import zipfile
from pathlib import Path

import pytest

from kneeoa.provenance.entities import METADATA
from tests.dag import planned, snakemake
from tests.end_to_end.conftest import SEEDS, SMALL
from tests.unit.provenance.validated import validate

pytestmark = pytest.mark.slow

COMPRESSED = {".png", ".pdf", ".parquet"}
"""Suffixes of files that a search for words in the bytes cannot see through; they are drawn or
written by code whose tests see to it.
"""


@pytest.fixture(scope="module")
def crate(finished: Path) -> Path:
    """The crate that the target makes."""
    run = snakemake(finished, "crate", "--cores", "2", *SMALL)
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
    return finished / "results" / "small" / "crate.zip"


def test_every_run_and_the_reading_of_the_cohort_stand_behind_the_comparison_table(crate: Path) -> None:
    with zipfile.ZipFile(crate) as archive:
        nodes = {node["@id"]: node for node in json.loads(archive.read(METADATA))["@graph"]}
    makers = {part["@id"]: node for node in nodes.values() if node["@id"].startswith("#job/") for part in _listed(node["result"])}
    pending, jobs = ["tables/contrasts.csv"], set()
    while pending:
        job = makers.get(pending.pop())
        if job is not None and job["@id"] not in jobs:
            jobs.add(job["@id"])
            pending += [part["@id"] for part in _listed(job["object"])]
    arms = ("resnet3d-single-oa", "resnet3d-single-kl", "resnet3d-dual", "m3t-dual")
    assert {f"#job/train_run/{arm}-seed-{seed}" for arm in arms for seed in SEEDS} <= jobs
    assert "#job/read_cohort/phantom" in jobs
    assert all(any(part["@id"].startswith("#digest/") for part in _listed(nodes[job]["object"])) for job in jobs)


def test_every_figure_and_table_is_in_the_crate_with_the_job_that_made_it(crate: Path) -> None:
    with zipfile.ZipFile(crate) as archive:
        names = set(archive.namelist())
        nodes = json.loads(archive.read(METADATA))["@graph"]
    made = {part["@id"] for node in nodes if node["@id"].startswith("#job/") for part in _listed(node["result"])}
    results = crate.parent
    products = {str(path.relative_to(results)) for folder in ("figures", "tables") for path in (results / folder).iterdir()}
    assert len(products) > 40
    assert products | {"report.html"} <= names & made


def test_the_crate_names_no_place_no_user_and_no_machine(crate: Path, finished: Path) -> None:
    words = {str(finished), str(Path.home()) + "/", f"/{getpass.getuser()}/", platform.node()}
    with zipfile.ZipFile(crate) as archive:
        for name in archive.namelist():
            if Path(name).suffix not in COMPRESSED:
                content = archive.read(name).decode("utf-8")
                assert not [word for word in words if len(word) > 3 and word in content], name


@pytest.mark.skipif(importlib.util.find_spec("rocrate_validator") is None, reason="roc-validator is not installed")
def test_the_public_validator_finds_no_fault(crate: Path) -> None:
    assert validate(crate) == []


def test_the_crate_is_asked_for_by_name_alone(finished: Path, crate: Path) -> None:
    assert crate.is_file()
    assert planned(finished, *SMALL) == []
    assert planned(finished, "crate", *SMALL) == []


def _listed(value: object) -> list[dict[str, str]]:
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []
