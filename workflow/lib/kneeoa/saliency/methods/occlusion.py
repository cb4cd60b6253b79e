"""Occlusion: the drop of the score when a cube of the image is hidden.

Zeiler and Fergus 2014. What the network takes of the image is tiled by cubes without overlap. A
hidden cube takes the image's mean, and each of its voxels gets the drop of the score per voxel, so
that cubes cut by the edge count by the volume that they hide.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor

from kneeoa.config.analysis import Saliency
from kneeoa.saliency.methods.interface import Target

OPTIONS = ("cube",)
"""The keys of the section `saliency` that decide the maps, besides those of every method."""


def tiles(shape: Sequence[int], edge: int) -> list[tuple[slice, ...]]:
    """Tile ``shape`` by cubes of ``edge`` voxels; the last along an axis may be shorter."""
    axes = [[slice(start, min(start + edge, size)) for start in range(0, size, edge)] for size in shape]
    return list(product(*axes))


def explain(target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
    """Make signed maps from one prediction for each cube of ``options.cube`` voxels; ``generators``
    are not used.
    """
    result = torch.zeros(images.shape[0], *images.shape[2:], device=images.device)
    mean = images.flatten(2).mean(dim=2).reshape(*images.shape[:2], *([1] * (images.ndim - 2)))
    with torch.no_grad():
        clean = target(images)
        window = target.network.window(images.shape[2:])
        for cube in tiles([part.stop - part.start for part in window], options.cube):
            tile = tuple(slice(part.start + one.start, part.start + one.stop) for part, one in zip(window, cube, strict=True))
            inside = (slice(None), slice(None), *tile)
            hidden = images.clone()
            hidden[inside] = mean
            voxels = result[(slice(None), *tile)][0].numel()
            drop = (clean - target(hidden)) / voxels
            result[(slice(None), *tile)] = drop.reshape(-1, *([1] * (images.ndim - 2)))
    return result
