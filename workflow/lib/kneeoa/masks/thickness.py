"""Thickness of a layer above a surface: along each face's normal, from where the layer begins to
where it ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneeoa.formats.volume import Volume
from kneeoa.masks.surfaces import Surface

GAP_MM = 1.0
"""Largest height above the bone at which cartilage may begin: outlines of the two, drawn apart,
leave a voxel between them here and there.
"""
_STEP_MM = 0.1
_MAX_MM = 10.0
_STRETCHES = 4


def covered(labels: Volume, faces: Surface, value: int) -> NDArray[np.bool_]:
    """Mark the faces that have a voxel of ``value`` within 1 mm (or a voxel, where that is more)
    along their normal; shape ``[len(faces)]``.
    """
    gap = max(GAP_MM, float(labels.spacing.max()))
    return np.asarray((_along(labels, faces, np.arange(_STEP_MM / 2, gap, _STEP_MM)) == value).any(axis=1))


def thickness(labels: Volume, faces: Surface, value: int) -> NDArray[np.float64]:
    """Thickness (mm) of a layer above faces that it covers, shape ``[len(faces)]``.

    The normal is followed in steps of 0.1 mm from the layer's first voxel until it ends, 10 mm at
    the most. On spherical layers of 1.5 to 3 mm on a DESS grid (0.7 x 0.36 x 0.36 mm) the mean is
    within 2 % of the truth; the distance to the nearest point of the other surface, the usual other
    choice, is 10 to 15 % low there, since voxel edges protrude towards each other.
    """
    steps = np.zeros(len(faces), dtype=np.int64)
    unfinished = np.ones(len(faces), dtype=bool)
    # Few layers are thicker than a stretch, so that most faces are followed over the first alone.
    for stretch in np.array_split(np.arange(_STEP_MM / 2, _MAX_MM, _STEP_MM), _STRETCHES):
        is_layer = _along(labels, faces.where(unfinished), stretch) == value
        begun = np.logical_or.accumulate(is_layer, axis=1) | (steps[unfinished] > 0)[:, None]
        unbroken = np.logical_and.accumulate(is_layer | ~begun, axis=1)
        steps[unfinished] += (is_layer & unbroken).sum(axis=1)
        unfinished[unfinished] = unbroken[:, -1]
    return np.asarray(steps * _STEP_MM, dtype=np.float64)


def _along(labels: Volume, faces: Surface, steps: NDArray[np.float64]) -> NDArray[np.generic]:
    """Labels at ``steps`` (mm) above each face, shape ``[faces, steps]``; 0 outside the map."""
    inverse = np.linalg.inv(labels.affine)
    start = inverse[:3, :3] @ faces.points.T + inverse[:3, 3:]
    along = inverse[:3, :3] @ faces.normals.T
    index = np.rint(start[:, :, None] + along[:, :, None] * steps).astype(np.int32)
    on_map = ((index >= 0) & (index < np.array(labels.array.shape)[:, None, None])).all(axis=0)
    return np.where(on_map, labels.array[tuple(np.where(on_map, index, 0))], 0)
