"""Outputs of a network for a batch of images: embeddings and every head's class logits, averaged
over test-time flips on request, and the probabilities that follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, softmax

from kneeoa.config.hierarchy import Level, class_groupings
from kneeoa.network.model import Network
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.temperature import apply_temperature

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


@dataclass(frozen=True)
class HeadPrediction:
    """One head's prediction of one level."""

    level: str
    head: str
    probabilities: Floats
    """``[cases, classes of the level]``; calibrated where ``calibrated``."""
    logits: Floats
    """``[cases, classes of the level]``, as the network gave them: no temperature. Of a derived
    level the logsumexp over each class's fine classes: two cases never tie in them.
    """
    calibrated: bool


def predict_levels(logits: Logits, levels: tuple[Level, ...], temperatures: Mapping[str, float]) -> Iterator[HeadPrediction]:
    """Predictions of every level by every head: its own level first, then its parent, and so on.

    Args:
        logits: of the heads.
        levels: the hierarchy, coarse to fine.
        temperatures: of the heads that are calibrated. A derived level sums the calibrated
            probabilities of the finer head, through logsumexp of its logits.
    """
    declared = {level.name: level for level in levels}
    for head, head_logits in logits.items():
        probabilities = class_probabilities(head_logits, declared[head], temperatures.get(head, 1.0))
        for level, groups in class_groupings(levels, head).items():
            size = len(declared[level].classes)
            if level == head:
                yield HeadPrediction(level, head, probabilities, head_logits, head in temperatures)
            else:
                summed: Floats = softmax(_coarse_logits(head_logits / temperatures.get(head, 1.0), groups, size), axis=1)
                yield HeadPrediction(level, head, summed, _coarse_logits(head_logits, groups, size), head in temperatures)


def class_probabilities(logits: Floats, level: Level, temperature: float = 1.0) -> Floats:
    """Probabilities ``[cases, classes]`` at a temperature; findings of a multilabel level are
    independent, all others sum to 1.
    """
    if not level.exclusive:
        independent: Floats = expit(logits / temperature)
        return independent
    return apply_temperature(logits, temperature)


def _coarse_logits(logits: Floats, groups: tuple[int, ...], size: int) -> Floats:
    """Logits whose softmax sums the fine classes' probabilities; minus infinity for a class without
    fine ones.
    """
    coarse = np.full((len(logits), size), -np.inf)
    for fine, parent in enumerate(groups):
        coarse[:, parent] = np.logaddexp(coarse[:, parent], logits[:, fine])
    return coarse
