"""What a network says of a batch of images: embeddings, and class logits of every head, averaged
over test-time flips where asked.
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


def ask(
    network: Network, images: NDArray[np.floating], flips: Sequence[int], device: torch.device
) -> tuple[NDArray[np.float32], dict[str, Floats]]:
    """Embeddings ``[batch, width]`` and class logits of every head.

    With flips, class logits are averaged over the image and its mirror image along each axis by
    itself. An average of logits is the geometric mean of the probabilities, made to sum to 1;
    probabilities, derived levels and temperatures all follow from it. The embedding is that of the
    image as it is.

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
        seen = [output.logits, *(network(batch.flip(axis + 2)).logits for axis in flips)]
        spoken = [network.heads.class_logits({head: values.double() for head, values in logits.items()}) for logits in seen]
    return embedding, {head: torch.stack([one[head] for one in spoken]).mean(dim=0).cpu().numpy() for head in spoken[0]}


def finite(logits: Logits) -> NDArray[np.bool_]:
    """``[cases]``: whether all that is said of a case are numbers."""
    sane: NDArray[np.bool_] = np.isfinite(np.concatenate(list(logits.values()), axis=1)).all(axis=1)
    return sane
