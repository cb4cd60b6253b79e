"""CORAL: consistent rank logits (Cao, Mirjalili and Raschka, Pattern Recognition Letters 140, 2020;
arXiv 1901.07884).

One score of the image, and a bias for each threshold between neighbouring classes: output k is
score + b_k, the logit of P(y > k). The paper shows that the biases are in order where the loss is
smallest; here they are in order always, each the one before it less a softplus, so that no class
ever has a negative probability.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.heads.losses.interface import Criterion

KINDS = ("ordinal",)
"""The kinds of level that the loss suits."""


class CoralHead(nn.Module):
    """A shared linear score without a bias of its own, and falling biases.

    They begin where the authors' do, at (K - 1 - k) / (K - 1) for k from 0: evenly spaced from 1
    downwards.
    """

    def __init__(self, width: int, thresholds: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1, bias=False)
        self.first = nn.Parameter(torch.ones(1))
        step = 1 / thresholds
        self.steps = nn.Parameter(torch.full((thresholds - 1,), math.log(math.expm1(step))))  # softplus of this is the step

    @property
    def biases(self) -> Tensor:
        """``[thresholds]``, falling."""
        return self.first - functional.pad(functional.softplus(self.steps).cumsum(dim=0), (1, 0))

    def forward(self, embedding: Tensor) -> Tensor:
        """Logits ``[batch, thresholds]`` from embeddings ``[batch, width]``; under autocast the
        biases keep their full precision.
        """
        outputs: Tensor = self.score(embedding) + self.biases
        return outputs


class Coral(Criterion):
    """K - 1 thresholds on one score for K ordered classes."""

    @property
    def outputs(self) -> int:
        """Number of outputs, one for each threshold between neighbouring classes."""
        return len(self.level.classes) - 1

    def head(self, width: int) -> nn.Module:
        """A fresh :class:`CoralHead`."""
        return CoralHead(width, self.outputs)

    def class_logits(self, outputs: Tensor) -> Tensor:
        """Logarithms of the class probabilities less their mean: differences of the cumulative
        ones, but never saturated.

        For a > b: log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b -
        a)).
        """
        above, below = functional.logsigmoid(outputs), functional.logsigmoid(-outputs)
        # Rounding can make two thresholds equal that are close together or far from 0: the class
        # between them then has almost no probability, but not zero.
        gaps = (outputs[:, :-1] - outputs[:, 1:]).clamp(min=torch.finfo(outputs.dtype).eps)
        between = above[:, :-1] + below[:, 1:] + torch.log(-torch.expm1(-gaps))
        logarithms = torch.cat([below[:, :1], between, above[:, -1:]], dim=1)
        return logarithms - logarithms.mean(dim=1, keepdim=True)

    def elements(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Loss ``[batch, 1]``: the sum over thresholds of the binary cross-entropy of y > k
        (equation 4, every importance weight 1).
        """
        above = (labels[:, None] > torch.arange(self.outputs, device=labels.device)).to(outputs.dtype)
        return functional.binary_cross_entropy_with_logits(outputs, above, reduction="none").sum(dim=1, keepdim=True)


build = Coral
