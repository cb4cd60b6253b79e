"""The Mamba block (Gu & Dao 2023, arXiv 2312.00752, section 3.4) in plain torch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.selective_scan import selective_scan

# Range of the initial step sizes Delta (section 3.6), drawn evenly on a logarithmic scale as in the
# authors' code.
STEP_RANGE = (0.001, 0.1)


class Mamba(nn.Module):
    """Gated selective state space over tokens ``[batch, length, width]``.

    Initial values (section 3.6 and the authors' code): A is minus 1, 2, ..., ``state`` in every
    channel (S4D-real), D is 1, Delta's bias is the inverse softplus of a step size in
    ``STEP_RANGE``, Delta's weights are uniform within rank**-0.5; all else has torch's default.
    """

    def __init__(self, width: int, state: int, kernel: int, expand: int) -> None:
        super().__init__()
        inner, rank = expand * width, math.ceil(width / 16)
        self.split = (rank, state, state)
        self.kernel = kernel
        self.inward = nn.Linear(width, 2 * inner, bias=False)
        self.convolution = nn.Conv1d(inner, inner, kernel, groups=inner)
        self.select = nn.Linear(inner, sum(self.split), bias=False)
        self.step = nn.Linear(rank, inner)
        self.log_decay = nn.Parameter(torch.log(torch.arange(1.0, state + 1)).repeat(inner, 1))
        self.skip = nn.Parameter(torch.ones(inner))
        self.outward = nn.Linear(inner, width, bias=False)
        nn.init.uniform_(self.step.weight, -(rank**-0.5), rank**-0.5)
        with torch.no_grad():
            low, high = (math.log(bound) for bound in STEP_RANGE)
            size = torch.exp(low + (high - low) * torch.rand(inner))
            self.step.bias.copy_(size + torch.log(-torch.expm1(-size)))

    def forward(self, tokens: Tensor) -> Tensor:
        """``[batch, length, width]`` to the same shape; token t depends on tokens up to t alone."""
        x, gate = self.inward(tokens).chunk(2, dim=-1)
        past = functional.pad(x.transpose(1, 2), (self.kernel - 1, 0))
        x = functional.silu(self.convolution(past)).transpose(1, 2)
        step, entry, readout = self.select(x).split(self.split, dim=-1)
        delta = functional.softplus(self.step(step))
        y = selective_scan(x, delta, -torch.exp(self.log_decay), entry, readout, self.skip)
        out: Tensor = self.outward(y * functional.silu(gate))
        return out
