"""Results that are compared before an edit is accepted, and those that are left out."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path

import pandas as pd
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.reruns.accepted_digests import Change
from kneeoa.reruns.compare_results import changed_digests, differing_outputs
from kneeoa.reruns.snakemake_records import read_records

OLD, NEW = "0123456789abcdef", "fedcba9876543210"
RUN = {"seconds": 1.0, "epochs": 2, "provenance": {"code": OLD, "configuration": "c"}}


def remember(memory: Path, output: str, rule: str, *params: str) -> None:
    memory.mkdir(exist_ok=True)
    name = urlsafe_b64encode(output.encode()).decode()
    (memory / name).write_text(json.dumps({"rule": rule, "params": list(params)}))


def test_a_change_is_a_rule_with_its_two_codes_and_the_outputs_it_made(tmp_path: Path) -> None:
    for folder, code in (("before", OLD), ("after", NEW)):
        remember(tmp_path / folder, "r/metrics.parquet", "metrics", f"'{code}'", "0.95")
        remember(tmp_path / folder, "r/flow.json", "flow", f"'{OLD}'")
    assert changed_digests(tmp_path / "before", tmp_path / "after") == {Change("metrics", OLD, NEW): ["r/metrics.parquet"]}


def test_an_edit_of_more_than_code_is_refused(tmp_path: Path) -> None:
    remember(tmp_path / "before", "r/metrics.parquet", "metrics", f"'{OLD}'", "0.95")
    remember(tmp_path / "after", "r/metrics.parquet", "metrics", f"'{NEW}'", "0.9")
    with pytest.raises(KneeoaError, match="another param of rule metrics"):
        changed_digests(tmp_path / "before", tmp_path / "after")


def test_an_output_that_is_new_is_refused(tmp_path: Path) -> None:
    remember(tmp_path / "after", "r/new.parquet", "metrics", f"'{NEW}'")
    with pytest.raises(KneeoaError, match=r"r/new\.parquet was not there"):
        changed_digests(tmp_path / "before", tmp_path / "after")


def test_records_of_long_paths_are_read_from_their_folders(tmp_path: Path) -> None:
    name = urlsafe_b64encode(("r/" + "long/" * 60 + "x.npy").encode()).decode()
    folder = tmp_path / f"@{name[:254]}"
    folder.mkdir()
    (folder / name[254:]).write_text('{"rule": "x"}')
    assert [output for output, _ in read_records(tmp_path)] == ["r/" + "long/" * 60 + "x.npy"]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"seconds": 9.0}, True),
        ({"provenance": {"code": NEW, "configuration": "c"}}, True),
        ({"epochs": 3}, False),
        ({"provenance": {"code": OLD, "configuration": "d"}}, False),
    ],
)
def test_times_and_codes_of_a_run_do_not_count_and_all_else_does(tmp_path: Path, change: dict[str, object], same: bool) -> None:
    for folder, content in (("before", RUN), ("after", RUN | change)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "run.json").write_text(json.dumps(content))
    assert differing_outputs(tmp_path / "before", tmp_path / "after", ["run.json"]) == ([] if same else ["run.json"])


@pytest.mark.parametrize(("measure", "same"), [("seconds", True), ("loss", False)])
def test_seconds_of_an_epoch_do_not_count(tmp_path: Path, measure: str, same: bool) -> None:
    for folder, value in (("before", 1.0), ("after", 2.0)):
        (tmp_path / folder).mkdir()
        pd.DataFrame({"measure": ["auc", measure], "value": [0.5, value]}).to_parquet(tmp_path / folder / "history.parquet")
    assert differing_outputs(tmp_path / "before", tmp_path / "after", ["history.parquet"]) == ([] if same else ["history.parquet"])


def test_other_files_are_compared_byte_by_byte_and_folders_file_by_file(tmp_path: Path) -> None:
    for folder in ("before", "after"):
        (tmp_path / folder / "raw").mkdir(parents=True)
        (tmp_path / folder / "raw" / "one").write_bytes(b"same")
        (tmp_path / folder / "raw" / ".snakemake_timestamp").write_text(folder)
        (tmp_path / folder / "table.csv").write_text(folder)
    assert differing_outputs(tmp_path / "before", tmp_path / "after", ["raw", "table.csv", "gone"]) == ["gone", "table.csv"]
    (tmp_path / "after" / "raw" / "two").touch()
    assert differing_outputs(tmp_path / "before", tmp_path / "after", ["raw"]) == ["raw"]
