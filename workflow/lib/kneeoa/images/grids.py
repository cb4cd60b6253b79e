"""Volumes at another input size, made once per grid and not once per arm."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kneeoa.errors import KneeoaError
from kneeoa.images.array_writer import open_rows, row_writer
from kneeoa.images.resample import stretch


def resample_shard(source: Path, out: Path, shape: tuple[int, ...]) -> None:
    """Resample every row of a shard (``[rows, i, j, k]``) to ``shape`` over the same extent; float16, rows as they were.

    Trilinear, and an average over the new voxel where an axis shrinks (:mod:`kneeoa.images.resample`).

    Raises:
        KneeoaError: the shard is not an array of volumes, or ``shape`` has not three axes.
    """
    rows = open_rows(source)
    if rows.ndim != 4 or len(shape) != 3:
        raise KneeoaError(f"{source}: rows of shape {rows.shape[1:]} cannot be resampled to {list(shape)}; both need three axes.")
    with row_writer(out, shape, np.float16) as writer:
        for row in rows:
            writer.append(stretch(row, (shape[0], shape[1], shape[2])))
