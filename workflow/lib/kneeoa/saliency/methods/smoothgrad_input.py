"""SmoothGrad x input: the gradient of a score, averaged over noisy copies of the image, times the
image.

Smilkov et al. 2017 (SmoothGrad) and Shrikumar et al. 2016 (gradient x input), as paper A combines
them; the mean gradient multiplies the clean image, so the noise smooths the gradient and does not
enter the product. Paper A then takes absolute values and stretches each map to [0, 1]; we keep the
sign and the scale, since both change the ratios of energy that the anatomy measures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from kneeoa.config.analysis import Saliency
from kneeoa.saliency.methods.interface import Target
from kneeoa.saliency.methods.smoothgrad import mean_gradient

OPTIONS = ("samples", "noise")
"""The keys of the section `saliency` that decide the maps, besides those of every method."""


def explain(target: Target, images: Tensor, generators: Sequence[np.random.Generator], options: Saliency) -> Tensor:
    """Make signed maps: the mean gradient times the clean image, channels summed."""
    return (images * mean_gradient(target, images, generators, options)).sum(dim=1)
