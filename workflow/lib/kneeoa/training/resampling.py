"""Move images by whole voxels, or by a rotation, a zoom and a translation in one linear resampling.
The edge is repeated outwards.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional


def shift_voxels(image: torch.Tensor, voxels: NDArray[np.int64]) -> torch.Tensor:
    """Shift ``image`` (``[channels, *shape]``) by whole ``voxels`` per axis; the edge is
    repeated.
    """
    for axis, distance in enumerate(voxels, start=1):
        if distance:
            size = image.shape[axis]
            source = (torch.arange(size, device=image.device) - int(distance)).clamp_(0, size - 1)
            image = image.index_select(axis, source)
    return image


def affine(images: torch.Tensor, turns: NDArray[np.float64], zooms: NDArray[np.float64], shifts: NDArray[np.int64]) -> torch.Tensor:
    """Rotate and zoom ``images`` about their centres, then translate them.

    Angles are in the voxel grid: where voxels are not cubes, a rotation also shears a little.

    Args:
        images: ``[batch, channels, *shape]``, two or three axes.
        turns: ``[batch, planes]`` radians, one per pair of axes in the order (0, 1), (0, 2), (1,
            2): from the first towards the second.
        zooms: ``[batch]``; above 1 enlarges.
        shifts: ``[batch, axes]`` voxels.
    """
    shape = np.asarray(images.shape[2:], dtype=np.float64)
    maps = [_source(turn, zoom, shift, shape) for turn, zoom, shift in zip(turns, zooms, shifts, strict=True)]
    grid = functional.affine_grid(torch.tensor(np.stack(maps), dtype=images.dtype, device=images.device), list(images.shape), False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _source(turns: NDArray[np.float64], zoom: float, shift: NDArray[np.int64], shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrix from points of the result to points of the source, for affine_grid: coordinates of -1
    to 1 per axis, the last axis first.
    """
    axes = len(shape)
    turned = np.eye(axes)
    for angle, (first, second) in zip(turns, combinations(range(axes), 2), strict=True):
        step = np.eye(axes)
        step[first, first] = step[second, second] = np.cos(angle)
        step[second, first], step[first, second] = np.sin(angle), -np.sin(angle)
        turned = step @ turned
    back = turned.T / zoom  # in voxels
    half = shape / 2
    scaled = back * half[None, :] / half[:, None]
    moved = -(back @ shift) / half
    result: NDArray[np.float64] = np.concatenate([scaled, moved[:, None]], axis=1)
    result[:, :axes] = result[:, :axes][:, ::-1]
    return result[::-1].copy()
