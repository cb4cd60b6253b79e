"""A label map brought to a volume's canonical grid through the world, however the map's own grid lies."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.images.volume import Affine, Volume

Tissues = Mapping[str, tuple[int, ...]]

_SAMPLE = 200_000


def tissue_values(tissues: Tissues) -> dict[str, int]:
    """The stored value of each tissue: 1, 2, ... in the order of ``sorted(tissues)``."""
    return {name: value for value, name in enumerate(sorted(tissues), start=1)}


def to_tissues(mask: Volume, tissues: Tissues) -> Volume:
    """Translate a cohort's labels into stored values (uint8); labels that mean no tissue become 0.

    Raises:
        UnusableImage: the voxels are not whole numbers (``not-a-label-map``).
        KneeoaError: one label means two tissues, or there are more than 255 of them.
    """
    labels = [label for name in tissues for label in tissues[name]]
    if len(set(labels)) != len(labels) or len(tissues) > np.iinfo(np.uint8).max:
        raise KneeoaError(f"'tissues' must give each label to one tissue, of 255 at most; it has {dict(tissues)}.")
    if min(labels, default=0) < 0:
        raise KneeoaError(f"'tissues' must give labels of 0 and more; it has {dict(tissues)}.")
    array = mask.array
    if array.dtype.kind in "fb":
        array = array.astype(np.int64)
        if not np.array_equal(array, mask.array):
            raise UnusableImage("not-a-label-map", "the mask has voxels that are not whole numbers; expected labels.")
    # One look-up for all labels; "clip" sends everything above the highest that means something to a last entry that means nothing.
    table = np.zeros(max(labels, default=0) + 2, dtype=np.uint8)
    for name, value in tissue_values(tissues).items():
        table[list(tissues[name])] = value
    return Volume(table.take(array.astype(np.intp, copy=False), mode="clip"), mask.affine)


def resample_labels(labels: Volume, affine: Affine, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Values of a label map (uint8) at the voxel centres of another grid: nearest neighbour through the world, 0 outside.

    Nearest neighbour keeps each tissue's expected volume also where the grid is coarser than the tissue is thick; a majority vote
    would eat thin cartilage.
    """
    step = np.linalg.inv(labels.affine) @ affine
    array = labels.array.astype(np.uint8, copy=False)
    return ndimage.affine_transform(array, step[:3, :3], step[:3, 3], output_shape=tuple(shape), order=0, mode="grid-constant", cval=0)


def inside_share(labels: Volume, affine: Affine, shape: tuple[int, ...], extent: tuple[float, ...]) -> float:
    """Share of the labelled voxels whose centres lie in a box of ``extent`` voxels around the middle of a grid.

    Args:
        labels: the label map; every value above 0 counts.
        affine: the grid's affine.
        shape: the grid's shape.
        extent: size of the box along each axis in voxels of the grid; the scanned image may be larger or smaller than the grid.

    Returns:
        A share in [0, 1]; 0 for a map without labels.
    """
    found = np.flatnonzero(labels.array)
    if not found.size:
        return 0.0
    # Every n-th voxel is enough for a share.
    sampled = np.stack(np.unravel_index(found[:: max(1, found.size // _SAMPLE)], labels.array.shape))
    step = np.linalg.inv(affine) @ labels.affine
    middle = (np.asarray(shape) - 1) / 2
    offsets = step[:3, :3] @ sampled + (step[:3, 3] - middle)[:, None]
    return float((np.abs(offsets) <= np.asarray(extent)[:, None] / 2).all(axis=0).mean())
