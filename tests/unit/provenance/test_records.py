"""Snakemake's records are read as it writes them, and the jobs behind a file are found in the order
of the work.
"""

import json
from pathlib import Path

import pytest

from kneeoa.errors import KneeoaError
from kneeoa.provenance.records import read_jobs, upstream_jobs
from kneeoa.provenance.trace import main
from kneeoa.reruns.snakemake_records import RECORDS
from tests.unit.provenance.recorded import RAW, ROOT, tiny_study, write_record


def test_records_of_one_job_become_one_job_also_where_names_are_cut(tmp_path: Path) -> None:
    tiny_study(tmp_path)
    jobs = read_jobs(tmp_path / RECORDS, ROOT)
    run = jobs[f"{ROOT}/runs/one/seed-1/weights.safetensors"]
    assert run is jobs[f"{ROOT}/runs/one/seed-1/run.json"]
    assert (run.name, run.inputs, run.digests, run.started, run.ended) == ("train_run/one-seed-1", ((RAW, ""),), ("a" * 16,), 10.0, 20.0)
    assert {job.name for job in jobs.values()} == {"train_run/one-seed-1", "metrics", "table/metrics"}


def test_a_table_hangs_on_its_run_and_not_the_other_way_round(tmp_path: Path) -> None:
    products = [str(path) for path in tiny_study(tmp_path)]
    jobs = read_jobs(tmp_path / RECORDS, ROOT)
    assert [job.rule for job in upstream_jobs(jobs, products)] == ["train_run", "metrics", "table"]
    assert [job.rule for job in upstream_jobs(jobs, [f"{ROOT}/statistics/metrics.parquet"])] == ["train_run", "metrics"]


def test_other_studies_and_jobs_that_did_not_end_are_left_out(tmp_path: Path) -> None:
    tiny_study(tmp_path)
    write_record(tmp_path, "results/tiny_too/tables/a.csv", "metrics", "metrics", {})
    broken = f"{ROOT}/statistics/contrasts.parquet"
    write_record(tmp_path, broken, "metrics", "contrasts", {})
    path = next(
        path
        for path in (tmp_path / RECORDS).rglob("*")
        if path.is_file() and '"log": ["results/tiny/logs/contrasts.log"]' in path.read_text()
    )
    path.write_text(json.dumps(json.loads(path.read_text()) | {"incomplete": True}))
    jobs = read_jobs(tmp_path / RECORDS, ROOT)
    assert broken not in jobs
    assert all(name.startswith(f"{ROOT}/") for name in jobs)


def test_without_records_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KneeoaError, match=r"copy \.snakemake/metadata"):
        read_jobs(tmp_path / RECORDS, ROOT)
    tiny_study(tmp_path)
    with pytest.raises(KneeoaError, match="no record says how it was made"):
        upstream_jobs(read_jobs(tmp_path / RECORDS, ROOT), [f"{ROOT}/report.html"])


def test_a_file_is_traced_by_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["trace", f"{ROOT}/tables/metrics.csv", "--inputs"])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines if not line.startswith(" ")] == ["table/metrics", "metrics", "train_run/one-seed-1"]
    assert lines[0].split("  ")[1:3] == ["ended 1970-01-01T00:01:00+00:00", f"code or raw files {'c' * 16}"]
    assert lines[1].endswith(f"{ROOT}/statistics/metrics.parquet")
    monkeypatch.setattr("sys.argv", ["trace", f"{ROOT}/tables/absent.csv"])
    with pytest.raises(SystemExit, match="no record says how it was made"):
        main()
