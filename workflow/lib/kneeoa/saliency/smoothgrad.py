"""SmoothGrad x input: the gradient of a score, averaged over noisy copies of the image, times the image.

Smilkov et al. 2017 (SmoothGrad) and Shrikumar et al. 2016 (gradient x input), as paper A combines them; the mean gradient multiplies
the clean image, so the noise smooths the gradient and does not enter the product. Paper A then stretches each map to [0, 1]; we do not,
since that changes the ratios of energy that the anatomy measures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from kneeoa.network.network import Network


def smoothgrad_x_input(
    network: Network,
    images: Tensor,
    generators: Sequence[np.random.Generator],
    *,
    level: str,
    head: str,
    samples: int,
    noise: float,
) -> tuple[Tensor, Tensor]:
    """Signed maps and the explained scores of a batch.

    Args:
        network: in evaluation mode, on the images' device.
        images: float32 ``[batch, channels, *shape]``.
        generators: one a case, so that its noise does not depend on which cases share the batch.
        level: the level whose score is explained (a fixed target, whatever each network predicts).
        head: the head that speaks for it.
        samples: noisy copies.
        noise: standard deviation of the noise, as a share of each image's range (maximum - minimum).

    Returns:
        Maps ``[batch, *shape]`` (channels summed) and scores ``[batch]`` of the clean images, in logit units.
    """
    span = images.flatten(1).amax(dim=1) - images.flatten(1).amin(dim=1)
    width = (noise * span).reshape(-1, *([1] * (images.ndim - 1)))
    total = torch.zeros_like(images)
    for _ in range(samples):
        drawn = np.stack([generator.standard_normal(images.shape[1:], dtype=np.float32) for generator in generators])
        noisy = (images + width * torch.from_numpy(drawn).to(images.device)).requires_grad_(True)
        score = network.target_score(network(noisy), level, head)
        # Cases of a batch do not touch each other (evaluation mode), so the sum's gradient is each case's own.
        total += torch.autograd.grad(score.sum(), noisy)[0]
    with torch.no_grad():
        clean = network.target_score(network(images), level, head)
    return (images * total / samples).sum(dim=1), clean
