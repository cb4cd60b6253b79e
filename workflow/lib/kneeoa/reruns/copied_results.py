"""Check whether results that were copied here are what this code, configuration and data would
make.

Snakemake compares a result with its own record in `.snakemake/`. Where results were copied without
those records, it accepts every file that is newer than its inputs. A run records itself what made
it (`run.json`), and that is compared here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kneeoa.atomic_io import digest, sha256_file
from kneeoa.reruns.snakemake_records import record_path


def made_from(code: str, configuration: Mapping[str, Any], files: Iterable[str | Path]) -> dict[str, Any]:
    """Digests of what decides a run's result, which it records and which are compared later.

    Args:
        code: digest of its code.
        configuration: its slice of the configuration (all that decides its result), as plain
            values.
        files: small input files that stand for the data (lists of shards, splits, labels); those
            that are absent are left out.
    """
    present = [str(file) for file in files if os.path.isfile(file)]
    return {"code": code, "configuration": digest(dict(configuration)), "inputs": {file: _file_digest(file) for file in sorted(present)}}


def disagreements(record: Path, expected: Mapping[str, Any], describe_code: Callable[[str], str] = lambda digest: "code") -> list[str]:
    """Names of what differs between the digests in ``run.json`` and those of :func:`made_from`;
    empty where the run can be used.

    ``describe_code`` takes the digest of the code that made the run and returns what has changed
    since.

    An input that does not exist yet is not compared: Snakemake makes it, and then whatever depends
    on it.
    """
    try:
        recorded = json.loads(record.read_text(encoding="utf-8"))["provenance"]
        inputs = recorded.get("inputs", {})
        differing = [] if recorded.get("code") == expected["code"] else [describe_code(str(recorded.get("code")))]
        differing += [] if recorded.get("configuration") == expected["configuration"] else ["configuration"]
        return differing + [f"data ({Path(file).name})" for file, content in expected["inputs"].items() if inputs.get(file) != content]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ["run.json, which cannot be read"]


def has_snakemake_record(memory: Path, output: str) -> bool:
    """Whether Snakemake's own record of an output lies in ``memory`` (``.snakemake/metadata``)."""
    return record_path(memory, output).is_file()


def stale_message(stale: Mapping[str, list[str]]) -> str:
    """The message about copied runs that differ, and what can be done; ``stale`` has what differs,
    by the run's weights.
    """
    lines = [f"  - {Path(weights).parent}: {', '.join(words)}" for weights, words in stale.items()]
    return "\n".join(
        [
            f"{len(stale)} runs were copied here and are not what this code, configuration and data would make. What differs:",
            *lines,
            "Train them again:  KNEEOA_COPIED=known snakemake <as before> --forcerun " + " ".join(stale),
            "Believe them:      KNEEOA_COPIED=known snakemake <as before>",
        ]
    )


@cache
def _file_digest(file: str) -> str:
    return sha256_file(file)
