"""Weights of classes by their inverse frequency, so that rare grades count as much as common
ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kneeoa.config.hierarchy import Level
from kneeoa.heads.losses.interface import MISSING


def balanced_weights(labels: Tensor, level: Level) -> Tensor:
    """The weight of each class: cases / (classes that occur x cases of the class), so that the mean
    over the labelled cases is 1.

    King and Zeng (Political Analysis 9, 2001). A class that does not occur has 1.

    Args:
        labels: int64 ``[cases]``, or ``[cases, findings]`` of a multilabel level, -1 where unread:
            the training cases' and no others.
        level: theirs.

    Returns:
        float64 ``[classes]``; of a multilabel level ``[findings, 2]``, absent and present of each
        finding by itself.
    """
    if not level.exclusive:
        return torch.stack([_weights(findings, 2) for findings in labels.T])
    return _weights(labels, len(level.classes))


def _weights(labels: Tensor, classes: int) -> Tensor:
    counts = torch.bincount(labels[labels != MISSING], minlength=classes).double()
    occurs = counts > 0
    return torch.where(occurs, counts.sum() / (occurs.sum() * counts.clamp(min=1)), 1.0)
