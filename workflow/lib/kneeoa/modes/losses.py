"""The loss of one level: the mean over the labels that are there, 0 where none is."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError

MISSING = -1


def level_loss(logits: Tensor, labels: Tensor, level: Level) -> Tensor:
    """Cross-entropy of a level, a scalar that stays in the graph even where no label is there.

    Binary cross-entropy for a multilabel level (each finding by itself, gaps left out) and for a binary level of one logit; softmax
    cross-entropy for all others.

    Args:
        logits: ``[batch, outputs]``.
        labels: int64 ``[batch]``, or ``[batch, findings]`` for a multilabel level; -1 where unread.
        level: the level, for its kind and name.

    Raises:
        KneeoaError: the labels' shape does not fit the logits.
    """
    expected = logits.shape if level.kind == "multilabel" else logits.shape[:1]
    if labels.shape != expected:
        raise KneeoaError(f"labels of level '{level.name}' have the shape {list(labels.shape)}; expected is {list(expected)}")
    read = labels != MISSING
    count = read.sum().clamp(min=1)
    if level.kind == "multilabel" or logits.shape[1] == 1:
        target = labels.reshape(logits.shape).clamp(min=0).to(logits.dtype)
        each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        return (each * read.reshape(logits.shape)).sum() / count
    return functional.cross_entropy(logits, labels, ignore_index=MISSING, reduction="sum") / count
