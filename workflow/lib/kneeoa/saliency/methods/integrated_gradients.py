"""Integrated gradients: the gradient of a score along the straight way from a baseline to the
image, times the way.

Sundararajan, Taly and Yan 2017. The baseline is the image's own darkest value everywhere (air), so
that a map sums to what the image adds to the score of an empty picture (completeness). The integral
is a midpoint sum.
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
    """Images of the same shape that are everywhere as dark as the darkest voxel of each."""
    return images.flatten(1).amin(dim=1).reshape(-1, *([1] * (images.ndim - 1))).expand_as(images)


def explain(target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
    """Signed maps from ``options.steps`` gradients; they draw no numbers."""
    start = baseline(images)
    way = images - start
    total = torch.zeros_like(images)
    for step in range(options.steps):
        point = (start + (step + 0.5) / options.steps * way).requires_grad_(True)
        total += torch.autograd.grad(target(point).sum(), point)[0]
    return (way * total / options.steps).sum(dim=1)
