"""Resample shards to another input size, once per grid and not once per arm."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError
from kneeoa.ingestion.array_writer import open_rows, row_writer
from kneeoa.tables.shards import VOLUMES
from kneeoa.volumes.resample import stretch

_LOG = logging.getLogger(__name__)


def resample_shard(*, array: Path, index: Path, shape: tuple[int, ...], out_array: Path, out_index: Path) -> None:
    """Resample every row of a shard (``[rows, i, j, k]`` or ``[rows, i, j]``) to ``shape`` over the
    same extent.

    The result is float16, its rows as they were; its index is the volumes' with the digests of the
    new rows. Interpolation is linear, and an average over the new voxel where an axis shrinks
    (:mod:`kneeoa.volumes.resample`).

    Raises:
        KneeoaError: the shard is not an array of images or does not fit its index, or ``shape`` has
            not as many axes as they.
    """
    rows = open_rows(array)
    cases = VOLUMES.read(index)
    if sorted(cases["row"]) != list(range(len(rows))):
        raise KneeoaError(f"{array}: holds {len(rows)} rows, but its index {index} lists {len(cases)}; make both again.")
    if rows.ndim not in (3, 4) or len(shape) != rows.ndim - 1:
        raise KneeoaError(
            f"{array}: rows of shape {rows.shape[1:]} cannot be resampled to {list(shape)}; both need three axes, or two for radiographs."
        )
    digests = []
    with row_writer(out_array, shape, np.float16) as writer:
        for row in rows:
            writer.append(_stretched(row, shape))
            digests.append(writer.digest)
    VOLUMES.write(out_index, cases.assign(digest=[digests[row] for row in cases["row"]]))
    _LOG.info("%s: %d images of %s voxels resampled to %s", array.name, len(rows), list(rows.shape[1:]), list(shape))


def _stretched(image: NDArray[np.generic], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Resample one image; a picture is handled as a volume of one slice."""
    if image.ndim == 2:
        flat: NDArray[np.float32] = stretch(image[None], (1, shape[0], shape[1]))[0]
        return flat
    return stretch(image, (shape[0], shape[1], shape[2]))
