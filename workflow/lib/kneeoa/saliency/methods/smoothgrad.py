"""SmoothGrad: the gradient of a score, averaged over noisy copies of the image, without the image.

Smilkov et al. 2017 (arXiv:1706.03825). Unlike gradient x input, a map does not depend on how bright
a voxel is: bright tissue does not stand out because it is bright, so in a map of a network with
randomised weights no tissue should. A map is positive where a brighter voxel would raise the score;
the sign of a tissue is therefore arbitrary, and its primary measures combine both signs
(``absolute_``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from kneeoa.config.analysis import Saliency
from kneeoa.saliency.methods.interface import Target

OPTIONS = ("samples", "noise")
"""The keys of the section `saliency` that decide the maps, besides those of every method."""


def explain(target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
    """Make signed maps: :func:`mean_gradient`, channels summed."""
    return mean_gradient(target, images, generators, options).sum(dim=1)


def mean_gradient(target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
    """Mean gradient ``[batch, channels, *shape]`` over ``options.samples`` copies with noise of
    ``options.noise`` of each image's range.
    """
    span = images.flatten(1).amax(dim=1) - images.flatten(1).amin(dim=1)
    width = (options.noise * span).reshape(-1, *([1] * (images.ndim - 1)))
    total = torch.zeros_like(images)
    for _ in range(options.samples):
        drawn = np.stack([generator.standard_normal(images.shape[1:], dtype=np.float32) for generator in generators])
        noisy = (images + width * torch.from_numpy(drawn).to(images.device)).requires_grad_(True)
        # Cases of a batch do not touch each other (evaluation mode), so the sum's gradient is each
        # case's own.
        total += torch.autograd.grad(target(noisy).sum(), noisy)[0]
    return total / options.samples
