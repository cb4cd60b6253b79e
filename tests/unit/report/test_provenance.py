"""The report tells what made the results, and differences between runs are told, not averaged
away.
"""

import json
from pathlib import Path

import pytest

from kneeoa.errors import KneeoaError
from kneeoa.report.provenance import provenance_facts


def _run(folder: Path, name: str, **changes: object) -> Path:
    record = {"device": "cpu", "threads": 1, "packages": {"torch": "1"}, "data": {"train": {"digest": "a" * 64}}, "seconds": 3.0}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(record | changes))
    return path


def test_runs_that_differ_are_told_apart(tmp_path: Path) -> None:
    facts = provenance_facts({"Code": "x"}, [_run(tmp_path, "1"), _run(tmp_path, "2", device="a GPU", packages={"torch": "2"})])
    assert next(iter(facts)) == "Code"
    assert facts["Runs"] == {"jobs": "2", "device": "a GPU, cpu", "threads": "1", "training data (digests)": "a" * 16}
    assert facts["Packages of the runs"] == {"torch": "1, 2"}


def test_wall_time_stays_out_so_that_equal_runs_give_equal_reports(tmp_path: Path) -> None:
    assert provenance_facts({}, [_run(tmp_path, "1")]) == provenance_facts({}, [_run(tmp_path, "2", seconds=9.0)])


def test_imports_have_no_runs_and_a_broken_record_is_named(tmp_path: Path) -> None:
    assert provenance_facts({"Code": "x"}, []) == {"Code": "x"}
    broken = tmp_path / "run.json"
    broken.write_text("{")
    with pytest.raises(KneeoaError, match=r"run\.json"):
        provenance_facts({}, [broken])
