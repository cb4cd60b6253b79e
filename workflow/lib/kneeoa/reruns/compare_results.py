"""Compare the results of two finished studies, by their records and byte for byte, to see whether
an edit of the code changed any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kneeoa.atomic_io import sha256_file
from kneeoa.errors import KneeoaError
from kneeoa.reruns.accepted_digests import Change
from kneeoa.reruns.snakemake_records import read_records

NOT_COMPARED = {
    "report.html": "prints the digests of codes; it is a page of the figures and tables, which are compared",
    "run.json": "but for times, memory, energy, the device, and what it says of the code",
    "history.parquet": "but for the seconds of each epoch",
}
"""Outputs that are not compared, or not whole, and why. Logs and benchmarks are no outputs and are
not compared either.
"""

_DIGEST = re.compile(r"'[0-9a-f]{16}'")
_VARYING = {
    "seconds", "training_seconds", "validation_seconds", "resumptions", "samples_per_second", "data_wait_share", "energy_joules",
    "peak_memory_mb", "device", "driver",
}  # fmt: skip


def changed_digests(before: Path, after: Path) -> dict[Change, list[str]]:
    """The code digests that differ between two finished studies, and the outputs of each.

    Args:
        before: Snakemake's records of the earlier study's outputs (``.snakemake/metadata``).
        after: those of the later one.

    Raises:
        KneeoaError: another param than the code's differs, so not only code was edited.
    """
    changed: dict[Change, list[str]] = {}
    old = dict(read_records(before))
    for output, record in read_records(after):
        if output not in old:
            raise KneeoaError(f"{output} was not there before the edit; only an edit that makes the same files can be accepted.")
        rule = record["rule"]
        new_params, old_params = set(record["params"]), set(old[output]["params"])
        if new_params == old_params:
            continue
        only_new, only_old = new_params - old_params, old_params - new_params
        codes = [value for value in only_new | only_old if _DIGEST.fullmatch(value)]
        if len(codes) == 2 and len(only_new) == len(only_old) == 1:
            changed.setdefault(Change(rule, only_old.pop()[1:-1], only_new.pop()[1:-1]), []).append(output)
        elif rule != "report":  # its params list the digests of other rules' codes
            raise KneeoaError(f"{output}: another param of rule {rule} than its code was edited; accept takes edits of code alone.")
    return changed


def differing_outputs(before: Path, after: Path, outputs: Iterable[str]) -> list[str]:
    """The outputs that differ between two clones; what NOT_COMPARED names is left out."""
    return [output for output in sorted(outputs) if not _same_files(before / output, after / output)]


def _same_files(one: Path, other: Path) -> bool:
    if not one.exists() or not other.exists():
        return False
    if one.is_dir():
        names = [sorted(str(path.relative_to(root)) for path in root.rglob("*") if _is_compared(path)) for root in (one, other)]
        return names[0] == names[1] and all(_same_files(one / name, other / name) for name in names[0])
    match one.name:
        case "report.html":
            return True
        case "run.json":
            return _lasting_content(one) == _lasting_content(other)
        case "history.parquet":
            return _without_seconds(one) == _without_seconds(other)
    return sha256_file(one) == sha256_file(other)


def _is_compared(path: Path) -> bool:
    return path.is_file() and path.name != ".snakemake_timestamp"


def _lasting_content(run: Path) -> dict[str, Any]:
    content = json.loads(run.read_text(encoding="utf-8"))
    provenance = {key: value for key, value in content["provenance"].items() if key != "code"}
    return {**{key: value for key, value in content.items() if key not in _VARYING}, "provenance": provenance}


def _without_seconds(history: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return [row for row in pq.read_table(history).to_pylist() if row["measure"] != "seconds"]
