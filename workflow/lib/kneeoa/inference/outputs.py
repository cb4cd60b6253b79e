"""Forward pass of a batch of images: embeddings, and class logits of every head, averaged over
test-time flips on request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.network.model import Network
from kneeoa.statistics.inputs import Floats

Logits = Mapping[str, Floats]
"""Head -> class logits ``[cases, classes]``: their softmax (multilabel: sigmoid) are the head's
probabilities, whatever its loss.
"""


def forward_batch(
    network: Network, images: NDArray[np.floating], flips: Sequence[int], device: torch.device
) -> tuple[NDArray[np.float32], dict[str, Floats]]:
    """Forward a batch: embeddings ``[batch, width]`` and class logits of every head.

    With flips, class logits are averaged over the image and its mirror images, one for each axis.
    An average of logits is the geometric mean of the probabilities, made to sum to 1;
    probabilities, derived levels and temperatures are computed from it. The embedding is that of
    the image without a flip.

    Args:
        network: in evaluation mode, on ``device``.
        images: ``[batch, *shape]``.
        flips: axes of an image, counted from 0.
        device: where the arithmetic runs.
    """
    batch = torch.from_numpy(np.ascontiguousarray(images))[:, None].to(device).float()
    with torch.inference_mode():
        output = network(batch)
        embedding: NDArray[np.float32] = output.embedding.float().cpu().numpy()
        passes = [output.logits, *(network(batch.flip(axis + 2)).logits for axis in flips)]
        class_logits = [network.heads.class_logits({head: values.double() for head, values in logits.items()}) for logits in passes]
    return embedding, {head: torch.stack([one[head] for one in class_logits]).mean(dim=0).cpu().numpy() for head in class_logits[0]}


def all_finite(logits: Logits) -> NDArray[np.bool_]:
    """``[cases]``: whether all logits of a case are finite."""
    finite_cases: NDArray[np.bool_] = np.isfinite(np.concatenate(list(logits.values()), axis=1)).all(axis=1)
    return finite_cases
