"""List the shards of one cohort and view in one small file, so that hundreds of runs need not each
name every shard.

It holds what the shards hold: the digest of each index, which has a digest of every row. Where a
shard is made again and comes out as it was, the list has the same bytes, and nothing that depends
on it runs again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from kneeoa.atomic_io import sha256_file, write_json
from kneeoa.errors import KneeoaError, rerun_hint


def list_shards(arrays: Sequence[Path], indices: Sequence[Path], out: Path) -> None:
    """Write the list: for each shard its array, its index (paths relative to the list's folder) and
    the digest of the index.
    """
    shards = [
        {"array": _relative_to(out, array), "index": _relative_to(out, index), "digest": sha256_file(index)}
        for array, index in zip(arrays, indices, strict=True)
    ]
    write_json(out, {"shards": shards})


def listed_shards(lists: Sequence[str | Path]) -> tuple[list[Path], list[Path]]:
    """The arrays and the indices that some lists name, in order.

    Raises:
        KneeoaError: a list is not one, or a file that it names is gone.
    """
    arrays: list[Path] = []
    indices: list[Path] = []
    for path in map(Path, lists):
        try:
            shards = json.loads(path.read_text(encoding="utf-8"))["shards"]
            named = [(path.parent / shard["array"], path.parent / shard["index"]) for shard in shards]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KneeoaError(f"{path}: is not a list of shards ({error}); {rerun_hint(path)}.") from error
        missing = [file for pair in named for file in pair if not file.is_file()]
        if missing:
            raise KneeoaError(
                f"{path}: names {missing[0].name}, which is gone ({len(missing)} files are); remove the list and run the workflow again."
            )
        arrays += [Path(os.path.normpath(array)) for array, _ in named]
        indices += [Path(os.path.normpath(index)) for _, index in named]
    return arrays, indices


def _relative_to(out: Path, file: Path) -> str:
    return os.path.relpath(file, out.parent)
