"""A crate links a table to its run, code and data, names nobody and no place, and says the same of
the same study.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kneeoa.errors import KneeoaError
from kneeoa.provenance.contents import write_zip
from kneeoa.provenance.crate import CONFIGURATION, StudyFiles, write_crate
from kneeoa.provenance.entities import METADATA
from kneeoa.reruns.snakemake_records import RECORDS
from tests.unit.provenance.recorded import ROOT, tiny_study
from tests.unit.provenance.validated import validate


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyFiles:
    """The tiny study in the folder that the test then runs in, with a configuration that names
    places.
    """
    products = tiny_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    details = [Path(ROOT, "runs/one/seed-1/run.json"), Path(ROOT, "statistics/metrics.parquet")]
    configuration = {"study": "tiny", "cohorts": {"oai": {"root": "/data/someone/images", "manifest": "~/lists/knees.csv"}}, "seeds": (1,)}
    return StudyFiles("tiny", "A tiny study", "Does it work?", ROOT, products, details, configuration)


def crate_of(study: StudyFiles, out: Path) -> tuple[dict[str, dict[str, Any]], dict[str, bytes]]:
    """Nodes by ``@id`` and the files of the crate."""
    write_crate(study, RECORDS, "9.0", out)
    with zipfile.ZipFile(out) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return {node["@id"]: node for node in json.loads(files[METADATA])["@graph"]}, files


def ids(value: Any) -> list[str]:
    """The references of a property."""
    return [each["@id"] for each in (value if isinstance(value, list) else [value])]


def maker(nodes: dict[str, dict[str, Any]], identifier: str) -> dict[str, Any]:
    """The one job that made something."""
    (action,) = (node for node in nodes.values() if node["@id"].startswith("#job/") and identifier in ids(node["result"]))
    return action


def test_a_table_is_traced_through_its_statistics_to_the_run_and_the_raw_file(study: StudyFiles, tmp_path: Path) -> None:
    nodes, _ = crate_of(study, tmp_path / "crate.zip")
    table = maker(nodes, "tables/metrics.csv")
    assert table["instrument"] == {"@id": "scripts/table.py"}
    assert ids(table["object"]) == ["statistics/metrics.parquet", "#digest/" + "c" * 16]
    (weights, code) = ids(maker(nodes, "statistics/metrics.parquet")["object"])
    assert nodes[weights]["sha256"] == hashlib.sha256(b"weights").hexdigest()
    run = maker(nodes, weights)
    assert set(ids(run["result"])) == {weights, "runs/one/seed-1/run.json"}
    assert ids(run["object"]) == ["#raw/grades.txt", "#digest/" + "a" * 16]
    assert nodes[code]["value"] == "b" * 16
    assert (run["startTime"], run["endTime"]) == ("1970-01-01T00:00:10+00:00", "1970-01-01T00:00:20+00:00")


def test_every_reference_leads_somewhere_and_every_file_is_described_with_its_digest(study: StudyFiles, tmp_path: Path) -> None:
    nodes, files = crate_of(study, tmp_path / "crate.zip")
    text = files[METADATA].decode()
    outside = {"https://w3id.org/ro/crate/1.1", "https://snakemake.github.io"}
    assert set(re.findall(r'\{\s*"@id": "([^"]+)"\s*\}', text)) - set(nodes) <= outside
    for name, content in files.items():
        if name != METADATA:
            assert nodes[name]["sha256"] == hashlib.sha256(content).hexdigest()
    assert set(ids(nodes["./"]["hasPart"])) == set(files) - {METADATA}
    assert {"Snakefile", "workflow/rules/train.smk", "workflow/lib/kneeoa/provenance/crate.py", CONFIGURATION} <= set(files)


def test_no_place_on_a_machine_and_nobody_but_the_cited_authors_is_named(study: StudyFiles, tmp_path: Path) -> None:
    nodes, files = crate_of(study, tmp_path / "crate.zip")
    text = files[METADATA] + files[CONFIGURATION]
    for word in (b"someone", b"secret", b"lists", str(tmp_path).encode()):
        assert word not in text
    assert json.loads(files[CONFIGURATION])["cohorts"]["oai"] == {"root": "images", "manifest": "knees.csv"}
    people = [node for node in nodes.values() if node["@type"] in ("Person", "Organization")]
    assert [node["name"] for node in people] == ["The kneeoa developers"]
    assert not [node for node in nodes.values() if "agent" in node]


def test_the_same_study_gives_the_same_bytes(study: StudyFiles, tmp_path: Path) -> None:
    write_crate(study, RECORDS, "9.0", tmp_path / "one.zip")
    write_crate(study, RECORDS, "9.0", tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_results_of_other_bytes_than_lie_there_are_refused(study: StudyFiles, tmp_path: Path) -> None:
    Path(ROOT, "statistics/metrics.parquet").write_bytes(b"edited")
    with pytest.raises(KneeoaError, match=r"metrics\.parquet: a job read other bytes"):
        write_crate(study, RECORDS, "9.0", tmp_path / "crate.zip")
    assert not (tmp_path / "crate.zip").exists()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("rocrate_validator") is None, reason="roc-validator is not installed")
def test_the_public_validator_finds_no_fault_in_it_and_some_in_a_broken_one(study: StudyFiles, tmp_path: Path) -> None:
    _, files = crate_of(study, tmp_path / "crate.zip")
    assert validate(tmp_path / "crate.zip") == []
    graph = json.loads(files[METADATA])
    for node in graph["@graph"]:
        if node["@id"] == "#scheduling":
            del node["object"]
    write_zip(tmp_path / "broken.zip", files | {METADATA: json.dumps(graph).encode()})
    assert any("OrganizeAction" in fault for fault in validate(tmp_path / "broken.zip"))
