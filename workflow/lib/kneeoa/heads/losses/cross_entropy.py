"""Softmax cross-entropy: one logit a class, classes without order."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from kneeoa.heads.losses.interface import MISSING, Criterion

KINDS = ("binary", "multiclass", "ordinal")
"""The kinds of level that the loss suits."""


class CrossEntropy(Criterion):
    """Minus the logarithm of the true class's probability."""

    def class_logits(self, outputs: Tensor) -> Tensor:
        """The outputs as they are."""
        return outputs

    def elements(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of each case, ``[batch, 1]``."""
        return functional.cross_entropy(outputs, labels, ignore_index=MISSING, reduction="none")[:, None]


build = CrossEntropy
