"""Stochastic depth: in training, a residual branch is left out of whole cases (Huang et al. 2016,
arXiv 1603.09382).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """Zero ``[batch, ...]`` for each case with probability ``rate`` and scale the others by ``1 /
    (1 - rate)``; the identity in evaluation.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """Drop or scale each case's branch; draws from torch's generator of its device."""
        if not self.training or self.rate == 0:
            return branch
        kept = torch.rand(branch.shape[0], device=branch.device) >= self.rate
        return branch * (kept / (1 - self.rate)).to(branch.dtype).reshape(-1, *[1] * (branch.dim() - 1))
