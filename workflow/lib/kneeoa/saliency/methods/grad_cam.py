"""Grad-CAM: the positive part of the backbone's coarsest feature map, its channels weighted by the
mean gradient of the score.

Selvaraju et al. 2017. Negative values are removed before the map is interpolated to the image's
grid: interpolating first would mix signs, and a linear interpolation of non-negative values is
non-negative. Maps are not stretched to [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from kneeoa.config.analysis import Saliency
from kneeoa.errors import KneeoaError
from kneeoa.saliency.methods.interface import Target

OPTIONS = ()
"""The keys of the section `saliency` that decide the maps, besides those of every method."""
_INTERPOLATION = {1: "linear", 2: "bilinear", 3: "trilinear"}


def explain(target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
    """Make non-negative maps; ``generators`` are not used.

    The backbone's coarsest feature map with the image's axes is taken (a transformer's tokens have
    no position in the image). Outside the part that the network takes, a map is zero.

    Raises:
        KneeoaError: the backbone has no such map.
    """
    output = target.network(images.detach().requires_grad_(True))
    spatial = [each for each in output.maps if each.ndim == images.ndim]
    if not spatial:
        raise KneeoaError("grad_cam needs a feature map with the image's axes, and this backbone has none; leave the method out.")
    features = spatial[-1]
    gradient = torch.autograd.grad(target.of(output).sum(), features)[0]
    weights = gradient.flatten(2).mean(dim=2).reshape(*features.shape[:2], *([1] * (images.ndim - 2)))
    small = torch.relu((weights * features).sum(dim=1, keepdim=True)).detach()
    maps = torch.zeros(len(images), *images.shape[2:], device=images.device)
    inside = maps[(slice(None), *target.network.window(images.shape[2:]))]
    size = list(inside.shape[1:])
    inside.copy_(functional.interpolate(small, size=size, mode=_INTERPOLATION[images.ndim - 2], align_corners=False)[:, 0])
    return maps
