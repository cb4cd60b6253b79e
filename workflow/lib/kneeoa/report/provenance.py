"""Collect what the results were made from: digests given by the caller, and the runs' own
records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kneeoa.errors import KneeoaError


def provenance_facts(digests: Mapping[str, Any], runs: Sequence[Path]) -> dict[str, Any]:
    """Return ``digests`` and, where there are runs, their packages, devices, threads and data;
    nothing that differs between equal runs.

    Args:
        digests: headings with texts or mappings, kept as they are and first.
        runs: ``run.json`` of every run; none for imported predictions.

    Raises:
        KneeoaError: a record cannot be read.
    """
    if not runs:
        return dict(digests)
    records = [_record(path) for path in runs]
    return {
        **digests,
        "Runs": {
            "jobs": str(len(records)),
            "device": _all(record["device"] for record in records),
            "threads": _all(record["threads"] for record in records),
            "training data (digests)": _all(record["data"]["train"]["digest"][:16] for record in records),
        },
        "Packages of the runs": {
            name: _all(record["packages"].get(name, "absent") for record in records) for name in sorted(records[0]["packages"])
        },
    }


def _record(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise KneeoaError(f"{path}: cannot be read as the record of a run ({error}); train the run again.") from error
    return record


def _all(values: Any) -> str:
    """Every value that occurs, once, sorted."""
    return ", ".join(sorted({str(value) for value in values}))
