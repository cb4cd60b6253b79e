"""Embed images by their principal components: a baseline of the geometry without a network."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError
from kneeoa.tables.runs import embeddings
from kneeoa.training.shards import Shards

_log = logging.getLogger(__name__)

COMPONENTS = 64
"""Principal components kept (all, where training cases are fewer)."""


def block_means(image: NDArray[np.floating], most: int) -> NDArray[np.float32]:
    """Return means of equal blocks, the smallest that bring each axis to at most ``most`` cells; a
    remainder at the far end of an axis is dropped.
    """
    blocks = [-(-side // most) for side in image.shape]
    kept = image[tuple(slice(0, side // block * block) for side, block in zip(image.shape, blocks, strict=True))]
    split = [part for side, block in zip(kept.shape, blocks, strict=True) for part in (side // block, block)]
    means: NDArray[np.float32] = kept.astype(np.float32).reshape(split).mean(axis=tuple(range(1, 2 * image.ndim, 2)))
    return means


def embed_raw_images(
    *,
    study: str,
    name: str,
    arrays: Sequence[Path],
    indices: Sequence[Path],
    splits: Sequence[Path],
    shape: Sequence[int],
    grid: int,
    out: Path,
) -> None:
    """Write EMBEDDINGS of every case: its coordinates along the training images' principal
    components, with seed 0.

    Images are read one at a time and shrunk to ``grid`` voxels a side, so memory is a few kilobytes
    a case. The decomposition is exact and has no random part.

    Args:
        study: name of the study, copied to the rows.
        name: what the rows have for an arm.
        arrays: float16 ``.npy`` shards ``[rows, *shape]``.
        indices: the VOLUMES table of each of ``arrays``.
        splits: SPLITS tables.
        shape: of the images.
        grid: voxels along each axis, at most.
        out: table to write.

    Raises:
        KneeoaError: the files do not fit each other, there are fewer than two training cases, or an
            image is not finite.
    """
    shards = Shards(arrays, indices, shape)
    cases = shards.locate(splits)
    images = np.stack([block_means(shards.read(file, row), grid).ravel() for file, row in cases[["file", "row"]].to_numpy()])
    not_finite = np.flatnonzero(~np.isfinite(images).all(axis=1))
    if len(not_finite):
        raise KneeoaError(f"the volume of case '{cases['case_id'].iloc[not_finite[0]]}' is not finite; make the volumes again.")
    train = (cases["split"] == "train").to_numpy()
    if train.sum() < 2:
        raise KneeoaError(f"principal components of images need two training cases at least, and the splits have {int(train.sum())}.")
    images -= images[train].mean(axis=0)
    values = images @ _components(images[train])
    rows = cases[["cohort", "split", "case_id", "subject"]].assign(study=study, arm=name, seed=0, embedding=list(values))
    embeddings(values.shape[1]).write(out, rows)
    _log.info("%d images of %d voxels in %d principal components", len(images), images.shape[1], values.shape[1])


def _components(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """Principal directions ``[voxels, components]`` of centred training images, by the smaller of
    the two Gram matrices.
    """
    cases, voxels = centred.shape
    wide = voxels > cases
    inner = (centred @ centred.T if wide else centred.T @ centred).astype(np.float64)
    squared, vectors = np.linalg.eigh(inner)
    floor = float(np.finfo(np.float32).eps) * max(float(squared.max()), float(np.finfo(np.float32).tiny))
    chosen = np.flatnonzero(squared > floor)[::-1][:COMPONENTS]
    if not chosen.size:
        return np.zeros((voxels, 1), dtype=np.float32)
    directions = centred.T @ vectors[:, chosen] / np.sqrt(squared[chosen]) if wide else vectors[:, chosen]
    return np.asarray(directions, dtype=np.float32)
