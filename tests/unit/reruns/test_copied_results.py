"""A run that was copied here is believed where what it says of its making is what it would be made
from.
"""

import json
from pathlib import Path

import pytest

from kneeoa.reruns import copied_results

CONFIGURATION = {"network": {"width": 4}, "threads": 1}


@pytest.fixture
def splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    copied_results._file_digest.cache_clear()
    Path("splits.parquet").write_bytes(b"who trains")
    return "splits.parquet"


def written(provenance: dict[str, object]) -> Path:
    Path("run.json").write_text(json.dumps({"provenance": provenance}))
    return Path("run.json")


def test_a_run_made_from_the_same_is_believed(splits: str) -> None:
    provenance = copied_results.made_from("code", CONFIGURATION, [splits])
    assert copied_results.disagreements(written(provenance), copied_results.made_from("code", CONFIGURATION, [splits])) == []


def test_each_digest_that_differs_is_named(splits: str) -> None:
    record = written(copied_results.made_from("code", CONFIGURATION, [splits]))
    assert copied_results.disagreements(record, copied_results.made_from("other", CONFIGURATION, [splits])) == ["code"]
    assert copied_results.disagreements(record, copied_results.made_from("code", {**CONFIGURATION, "threads": 2}, [splits])) == [
        "configuration"
    ]
    Path(splits).write_bytes(b"somebody else trains")
    copied_results._file_digest.cache_clear()
    assert copied_results.disagreements(record, copied_results.made_from("code", CONFIGURATION, [splits])) == ["data (splits.parquet)"]


def test_an_input_that_is_not_here_decides_nothing(splits: str) -> None:
    record = written(copied_results.made_from("code", CONFIGURATION, [splits]))
    assert copied_results.disagreements(record, copied_results.made_from("code", CONFIGURATION, ["elsewhere.parquet"])) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"provenance": 1}'])
def test_a_record_that_cannot_be_read_is_not_believed(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    assert copied_results.disagreements(tmp_path / "run.json", copied_results.made_from("c", {}, [])) == ["run.json, which cannot be read"]


def test_the_sentence_names_run_digest_and_both_ways_on() -> None:
    message = copied_results.stale_message({"results/s/runs/m3t-dual/seed-1/weights.safetensors": ["code", "data (shards.json)"]})
    assert "results/s/runs/m3t-dual/seed-1: code, data (shards.json)" in message
    assert "--forcerun results/s/runs/m3t-dual/seed-1/weights.safetensors" in message
    assert "KNEEOA_COPIED=known" in message
