"""SmoothGrad x input: the gradient of a score, averaged over noisy copies of the image, times the image.

Smilkov et al. 2017 (SmoothGrad) and Shrikumar et al. 2016 (gradient x input), as paper A combines them; the mean gradient multiplies
the clean image, so the noise smooths the gradient and does not enter the product. Paper A then takes absolute values and stretches each
map to [0, 1]; we keep the sign and the scale, since both change the ratios of energy that the anatomy measures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from kneeoa.config.analysis import Saliency
from kneeoa.saliency.methods.interface import Target


def explain(target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
    """Signed maps; ``options.samples`` noisy copies, whose noise has the standard deviation ``options.noise`` of each image's range."""
    span = images.flatten(1).amax(dim=1) - images.flatten(1).amin(dim=1)
    width = (options.noise * span).reshape(-1, *([1] * (images.ndim - 1)))
    total = torch.zeros_like(images)
    for _ in range(options.samples):
        drawn = np.stack([generator.standard_normal(images.shape[1:], dtype=np.float32) for generator in generators])
        noisy = (images + width * torch.from_numpy(drawn).to(images.device)).requires_grad_(True)
        # Cases of a batch do not touch each other (evaluation mode), so the sum's gradient is each case's own.
        total += torch.autograd.grad(target(noisy).sum(), noisy)[0]
    return (images * total / options.samples).sum(dim=1)
