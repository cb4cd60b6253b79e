"""CORN: conditional ordinal regression (Shi, Cao and Raschka, arXiv 2111.08851, 2021).

Output k is the logit of P(y > k | y >= k), learnt from the cases with y >= k alone; by the chain
rule P(y > k) is the product of the first k + 1 of these, so ranks are consistent whatever the
outputs are.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kneeoa.heads.losses.interface import Criterion

KINDS = ("ordinal",)
"""The kinds of level that the loss suits."""


class Corn(Criterion):
    """K - 1 conditional tasks for K ordered classes."""

    @property
    def outputs(self) -> int:
        """Number of outputs, one for each threshold between neighbouring classes."""
        return len(self.level.classes) - 1

    def class_logits(self, outputs: Tensor) -> Tensor:
        """Logarithms of the class probabilities less their mean: differences of the cumulative
        products, but never saturated.

        log P(y = c) is the sum of log sigmoid(z_k) over k < c, and of log sigmoid(-z_c) but for the
        last class.
        """
        passed = functional.pad(functional.logsigmoid(outputs).cumsum(dim=1), (1, 0))
        stopped = functional.pad(functional.logsigmoid(-outputs), (0, 1))
        logarithms = passed + stopped
        return logarithms - logarithms.mean(dim=1, keepdim=True)

    def elements(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Binary cross-entropy of each task, ``[batch, K - 1]`` (the paper's equation for the
        loss).
        """
        return functional.binary_cross_entropy_with_logits(outputs, _above(labels, outputs).to(outputs.dtype), reduction="none")

    def counted(self, labels: Tensor) -> Tensor:
        """Mask of the cases in each task: task k takes those with y >= k. The mean is over all
        tasks' cases together, as in the paper.
        """
        tasks = torch.arange(self.outputs, device=labels.device)
        return labels[:, None] >= tasks


def _above(labels: Tensor, outputs: Tensor) -> Tensor:
    """Whether y > k, bool ``[batch, K - 1]``."""
    return labels[:, None] > torch.arange(outputs.shape[1], device=labels.device)


build = Corn
