"""nnMamba's classifier (Gong et al. 2024, arXiv 2402.03526): a residual 3D network whose stem has
one Mamba layer.

``css: true`` adds the paper's channel-spatial siamese scan, which the authors released only in
their segmentation network: each stage has one further Mamba layer, shared by all its blocks but the
first and added to them as a branch, and it reads its sequence in four ways.

Convolutions and linear layers have torch's initial values, the Mamba block those of Gu & Dao (2023)
(arXiv 2312.00752, section 3.4).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.nnmamba import Options
from kneeoa.backbones.residual import stage
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


class MambaLayer(nn.Module):
    """A pointwise convolution, Mamba over all voxels as one sequence (added to its input), and a
    pointwise convolution.

    A ``siamese`` layer takes the mean of the same Mamba's outputs for the sequence as it is, with
    its channels reversed, with its tokens reversed, and with both, each reversed back.
    """

    def __init__(self, channels: int, state: int, options: Options, siamese: bool = False) -> None:
        super().__init__()
        self.siamese = siamese
        self.before = _pointwise(channels)
        self.mamba = Mamba(channels, state=state, kernel=options.kernel, expand=options.expand)
        self.after = _pointwise(channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, channels, slices, rows, columns]`` to the same shape; voxels are tokens in that
        order of axes.
        """
        x = self.before(x)
        tokens = x.flatten(2).transpose(1, 2)
        mixed = self._siamese(tokens) if self.siamese else self.mamba(tokens)
        out: Tensor = self.after(x + mixed.transpose(1, 2).reshape(x.shape))
        return out

    def _siamese(self, tokens: Tensor) -> Tensor:
        """``[batch, length, channels]`` to the same shape."""
        turns: tuple[tuple[int, ...], ...] = ((), (2,), (1,), (1, 2))
        read = self.mamba(torch.cat([tokens.flip(axes) for axes in turns])).chunk(len(turns))
        return torch.stack([each.flip(axes) for each, axes in zip(read, turns, strict=True)]).mean(dim=0)


class ScannedStage(nn.Module):
    """Basic blocks, and one Mamba layer added as a branch to each of them but the first."""

    def __init__(self, width_in: int, width_out: int, options: Options) -> None:
        super().__init__()
        self.blocks = stage(3, width_in, width_out, options.blocks, stride=2)
        self.scan = MambaLayer(width_out, options.css_state, options, siamese=True)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, width_in, *size]`` to ``[batch, width_out, *ceil(size / 2)]``."""
        first, *others = self.blocks
        x = first(x)
        for block in others:
            x = block(x, self.scan(x))
        return x


class NNMamba(Backbone):
    """Stem of stride 2 with a Mamba layer added to it, three residual stages of stride 2, and a
    layer on their global means.
    """

    def __init__(self, in_channels: int, options: Options) -> None:
        super().__init__()
        width = options.channels
        self.map_widths = (width, 2 * width, 4 * width, 8 * width)
        self.embedding_width = options.embedding
        self.head_dropout = options.dropout
        self.stem = nn.Sequential(
            nn.Conv3d(in_channels, width, 3, stride=2, padding=1),
            nn.BatchNorm3d(width),
            nn.ReLU(),
            nn.Conv3d(width, width, 3, padding=1),
            nn.BatchNorm3d(width),
            nn.ReLU(),
        )
        self.mamba = MambaLayer(width, options.state, options)
        pairs = zip(self.map_widths[:-1], self.map_widths[1:], strict=True)
        self.stages = nn.ModuleList(
            ScannedStage(before, after, options) if options.css else stage(3, before, after, options.blocks, stride=2)
            for before, after in pairs
        )
        self.embed = nn.Sequential(nn.Linear(sum(self.map_widths[1:]), options.embedding), nn.ReLU())

    def forward(self, image: Tensor) -> Features:
        """Maps of the stem and the three stages, for ``image`` of shape ``[batch, channels, slices,
        rows, columns]``.
        """
        x = self.stem(image)
        x = x + self.mamba(x)
        maps = [x]
        for layer in self.stages:
            maps.append(layer(maps[-1]))
        means = torch.cat([each.mean(dim=(2, 3, 4)) for each in maps[1:]], dim=1)
        return Features(maps, self.embed(means))


def _pointwise(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(channels, channels, 1, bias=False), nn.BatchNorm3d(channels), nn.ReLU())


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build an nnMamba classifier with fresh weights; it takes any ``shape`` that its options
    allow.
    """
    return NNMamba(in_channels, options)
