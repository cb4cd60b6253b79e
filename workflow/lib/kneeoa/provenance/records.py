"""Read Snakemake's records of the jobs that made a study's files: rule, inputs with their digests,
params, times.

The records (:mod:`kneeoa.reruns.snakemake_records`) hold what was done, also where the workflow has
changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kneeoa.errors import KneeoaError
from kneeoa.reruns.snakemake_records import read_records

_DIGEST = re.compile(r"'([0-9a-f]{16})'")


@dataclass(frozen=True)
class Job:
    """One job as it was run."""

    rule: str
    name: str
    """Unique in the study: the rule, and its wildcards as its log spells them."""
    outputs: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...]
    """Path and SHA-256 of what was read; an empty digest where Snakemake took none (folders, files
    above its limit).
    """
    digests: tuple[str, ...]
    """Among its params: the digest of its code and, where it reads raw files, theirs."""
    started: float
    ended: float
    """Seconds since 1970."""


def read_jobs(records: Path, root: str) -> dict[str, Job]:
    """Read every finished job of the study below ``root`` (``results/<study>``), by each file that
    it made.

    Raises:
        KneeoaError: there are no records.
    """
    parts: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for name, record in read_records(records, f"{root}/"):
        if record.get("rule") and not record.get("incomplete"):
            log = record.get("log") or [name]
            parts.setdefault((record["rule"], log[0]), {})[name] = record
    jobs = [_job(rule, log, root, outputs) for (rule, log), outputs in parts.items()]
    if not jobs:
        raise KneeoaError(
            f"{records}: holds no record of how files below {root} were made; run the workflow in this folder, or copy .snakemake/metadata "
            "from where it ran."
        )
    return {output: job for job in jobs for output in job.outputs}


def upstream_jobs(jobs: Mapping[str, Job], wanted: Iterable[str]) -> list[Job]:
    """Return the jobs behind ``wanted`` files, each after all that it depends on.

    Raises:
        KneeoaError: a wanted file has no record.
    """
    done: dict[str, Job] = {}
    pending: list[tuple[str, bool]] = []
    for file in wanted:
        if file not in jobs:
            raise KneeoaError(f"{file}: no record says how it was made; run the workflow, or copy .snakemake/metadata from where it ran.")
        pending.append((file, False))
    while pending:
        file, expanded = pending.pop()
        job = jobs.get(file)
        if job is None or job.name in done:
            continue
        if expanded:
            done[job.name] = job
        else:
            pending.append((file, True))
            pending += [(path, False) for path, _ in reversed(job.inputs)]
    return list(done.values())


def _job(rule: str, log: str, root: str, outputs: Mapping[str, Mapping[str, Any]]) -> Job:
    records = [outputs[name] for name in sorted(outputs)]
    read: dict[str, str] = {}
    for record in records:
        sums = record.get("input_checksums") or {}
        read |= {path: str(sums.get(path, "")).removeprefix("sha256:") for path in record.get("input") or []}
    params = {match[1] for record in records for text in record.get("params") or [] if (match := _DIGEST.fullmatch(str(text)))}
    below = log.removeprefix(f"{root}/").removeprefix("logs/").removesuffix(".log")
    name = below if below.split("/")[0] == rule else f"{rule}/{below}"
    started, ended = min(float(record["starttime"]) for record in records), max(float(record["endtime"]) for record in records)
    return Job(rule, name, tuple(sorted(outputs)), tuple(sorted(read.items())), tuple(sorted(params)), started, ended)
