"""Integrated gradients: the mean gradient of a score along the straight path from a baseline to the
image, times their difference.

Sundararajan, Taly and Yan 2017. The baseline is the image's darkest value everywhere (air), so that
a map sums to what the image adds to the score of an empty picture (completeness). The integral is a
midpoint sum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from kneeoa.config.analysis import Saliency
from kneeoa.saliency.methods.interface import Target

OPTIONS = ("steps",)
"""The keys of the section `saliency` that decide the maps, besides those of every method."""


def baseline(images: Tensor) -> Tensor:
    """Baseline images of the same shape, constant at the darkest voxel of each image."""
    return images.flatten(1).amin(dim=1).reshape(-1, *([1] * (images.ndim - 1))).expand_as(images)


def explain(target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
    """Make signed maps from ``options.steps`` gradients; ``generators`` are not used."""
    start = baseline(images)
    way = images - start
    total = torch.zeros_like(images)
    for step in range(options.steps):
        point = (start + (step + 0.5) / options.steps * way).requires_grad_(True)
        total += torch.autograd.grad(target(point).sum(), point)[0]
    return (way * total / options.steps).sum(dim=1)
