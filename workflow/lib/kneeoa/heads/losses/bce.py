"""Binary cross-entropy: one logit for a binary level (paper A's single-OA), one a finding for a
multilabel level, each by itself.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kneeoa.heads.losses.interface import Criterion

KINDS = ("binary", "multilabel")
"""The kinds of level that the loss suits."""


class BinaryCrossEntropy(Criterion):
    """Minus the logarithm of the label's probability; unread findings are left out one by one."""

    @property
    def outputs(self) -> int:
        """Number of outputs: 1 for a binary level, one a finding for a multilabel level."""
        return 1 if self.level.exclusive else len(self.level.classes)

    @property
    def label_shape(self) -> tuple[int, ...]:
        """Shape of one case's label: a multilabel level has a label for each finding."""
        return () if self.level.exclusive else (len(self.level.classes),)

    def class_logits(self, outputs: Tensor) -> Tensor:
        """Multilabel: the outputs as they are; binary: the pair (0, z) of a logit z."""
        return torch.cat([torch.zeros_like(outputs), outputs], dim=1) if self.level.exclusive else outputs

    def elements(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of every output, ``[batch, outputs]``."""
        target = labels.reshape(outputs.shape).clamp(min=0).to(outputs.dtype)
        return functional.binary_cross_entropy_with_logits(outputs, target, reduction="none")

    def _factors(self, class_weights: Tensor, labels: Tensor) -> Tensor:
        if self.level.exclusive:
            return super()._factors(class_weights, labels)
        return torch.where(labels == 1, class_weights[:, 1], class_weights[:, 0])


build = BinaryCrossEntropy
