"""A study of three jobs as it lies on the disk after Snakemake ran it: files, and Snakemake's
records of how each was made.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path

from kneeoa.atomic_io import sha256_file
from kneeoa.reruns.snakemake_records import RECORDS

ROOT = "results/tiny"
RAW = "/data/someone/secret/grades.txt"
CODE = {"train_run": "a" * 16, "metrics": "b" * 16, "table": "c" * 16}


def write_record(
    folder: Path, output: str, rule: str, log: str, inputs: dict[str, str], *, longest: int = 255, ended: float = 20.0
) -> None:
    """Write Snakemake's record of ``output``, as Snakemake 9.27 does: base64 names, cut at the file
    system's longest one.
    """
    text = urlsafe_b64encode(output.encode()).decode()
    parts = [text[start : start + longest - 1] for start in range(0, len(text), longest - 1)]
    path = (folder / RECORDS).joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    sums = {name: f"sha256:{digest}" for name, digest in inputs.items() if digest}
    record = {"rule": rule, "log": [f"{ROOT}/logs/{log}.log"], "input": sorted(inputs), "input_checksums": sums}
    record |= {"params": [f"'{CODE[rule]}'", "{'a': 1}"], "starttime": ended - 10.0, "endtime": ended, "incomplete": False}
    path.write_text(json.dumps(record))


def tiny_study(folder: Path) -> list[Path]:
    """Files and records of a run, its metrics and their table; returns the table's files, seen from
    ``folder``.
    """
    contents = {
        "runs/one/seed-1/weights.safetensors": b"weights",
        "runs/one/seed-1/run.json": json.dumps({"packages": {"torch": "2.0"}}).encode(),
        "statistics/metrics.parquet": b"metrics",
        "tables/metrics.csv": b"auc\n0.9\n",
        "tables/metrics.tex": b"0.9",
    }
    for name, content in contents.items():
        path = folder / ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    recorded = {name: (f"{ROOT}/{name}", sha256_file(folder / ROOT / name)) for name in contents}
    for name in ("weights.safetensors", "run.json"):
        write_record(folder, f"{ROOT}/runs/one/seed-1/{name}", "train_run", "train_run/one-seed-1", {RAW: ""}, longest=40)
    weights = dict([recorded["runs/one/seed-1/weights.safetensors"]])
    write_record(folder, f"{ROOT}/statistics/metrics.parquet", "metrics", "metrics", weights, ended=40.0)
    metrics = dict([recorded["statistics/metrics.parquet"]])
    for suffix in ("csv", "tex"):
        write_record(folder, f"{ROOT}/tables/metrics.{suffix}", "table", "table/metrics", metrics, ended=60.0)
    return [Path(ROOT, "tables", f"metrics.{suffix}") for suffix in ("csv", "tex")]
