"""Attention in shifted windows of a 2D map (Liu et al. 2021, arXiv 2103.14030, sections 3.2 and
3.3).
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.stochastic_depth import StochasticDepth
from kneeoa.backbones.transformer import Perceptron, SelfAttention

BLOCKED = -100.0
"""Added to the scaled products of tokens in different regions, as published; their softmax is zero
in float32.
"""


class WindowAttention(nn.Module):
    """Self-attention within the windows of a map of fixed size, shifted by ``shift`` tokens, with a
    learned bias for each offset.

    A map that windows do not fill is padded at its lower and right edge, and no token attends to
    the padding.
    """

    def __init__(self, width: int, heads: int, window: int, size: tuple[int, int], shift: int) -> None:
        super().__init__()
        self.window = window
        self.size = size
        self.padded = (_padded_length(size[0], window), _padded_length(size[1], window))
        # Along an axis that one window covers there is nothing to shift to.
        self.shifts = (shift if self.padded[0] > window else 0, shift if self.padded[1] > window else 0)
        self.attention = SelfAttention(width, heads)
        self.bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.bias_table, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, rows, columns, width]`` to the same shape."""
        rows, columns = self.size
        x = functional.pad(x, (0, 0, 0, self.padded[1] - columns, 0, self.padded[0] - rows))
        x = torch.roll(x, (-self.shifts[0], -self.shifts[1]), dims=(1, 2))
        tokens = _split_windows(x, self.window)
        bias = self.bias_table[_bias_rows(self.window, x.device)].permute(2, 0, 1)
        if any(self.shifts) or self.padded != self.size:
            bias = bias + _attention_mask(self.size, self.padded, self.window, self.shifts, x.device).unsqueeze(1)
        x = _join_windows(self.attention(tokens, bias.to(tokens.dtype)), self.window, self.padded)
        return torch.roll(x, self.shifts, dims=(1, 2))[:, :rows, :columns]


class SwinLayer(nn.Module):
    """A pre-norm transformer layer whose attention is windowed; ``drop`` is the probability that a
    case skips a branch in training.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, window: int, size: tuple[int, int], shift: int, epsilon: float, drop: float
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, eps=epsilon)
        self.windows = WindowAttention(width, heads, window, size, shift)
        self.perceptron_norm = nn.LayerNorm(width, eps=epsilon)
        self.perceptron = Perceptron(width, hidden)
        self.attention_drop = StochasticDepth(drop)
        self.perceptron_drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, rows, columns, width]`` to the same shape."""
        x = x + self.attention_drop(self.windows(self.attention_norm(x)))
        added: Tensor = self.perceptron_drop(self.perceptron(self.perceptron_norm(x)))
        return x + added


class Merging(nn.Module):
    """Merge four neighbouring tokens into one of twice the width: norm, then a linear layer without
    bias.
    """

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width, eps=epsilon)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, rows, columns, width]`` to half the rows and columns and ``2 * width``; odd
        sizes are padded with zeros.
        """
        x = functional.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        # Public weights have the neighbours in this order: row by row within a column.
        four = torch.cat([x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)], dim=-1)
        merged: Tensor = self.reduction(self.norm(four))
        return merged


def _padded_length(length: int, window: int) -> int:
    return -(-length // window) * window


def _split_windows(x: Tensor, window: int) -> Tensor:
    """Split ``[batch, rows, columns, width]`` into ``[batch, windows, tokens, width]``."""
    batch, rows, columns, width = x.shape
    cut = x.reshape(batch, rows // window, window, columns // window, window, width)
    return cut.transpose(2, 3).reshape(batch, -1, window**2, width)


def _join_windows(tokens: Tensor, window: int, padded: tuple[int, int]) -> Tensor:
    """The inverse of :func:`_split_windows`."""
    cut = tokens.reshape(len(tokens), padded[0] // window, padded[1] // window, window, window, -1)
    return cut.transpose(2, 3).reshape(len(tokens), *padded, -1)


# Both tables depend on sizes alone: they are not saved, and layers of the same size share them.
# They are made outside of inference mode, since a later training step may need the same ones.
@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _bias_rows(window: int, device: torch.device) -> Tensor:
    """Row of the bias table for each pair of a window's tokens, ``[tokens, tokens]``, numbered by
    row and column offset.
    """
    along = torch.arange(window, device=device)
    apart = along[:, None] - along[None, :] + window - 1
    pairs = apart[:, None, :, None] * (2 * window - 1) + apart[None, :, None, :]
    return pairs.flatten(2, 3).flatten(0, 1)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _attention_mask(size: tuple[int, int], padded: tuple[int, int], window: int, shifts: tuple[int, int], device: torch.device) -> Tensor:
    """Mask to add to the products, ``[windows, tokens, tokens]``: zero for tokens of the same
    region.

    A shifted window at the edge holds tokens from opposite sides of the map, which are no
    neighbours; padding is another region.
    """
    regions = []
    for length, full, shift in zip(size, padded, shifts, strict=True):
        position = torch.arange(full, device=device)
        moved_around = position >= full - shift
        regions.append(torch.where((position + shift) % full >= length, 2, moved_around.long()))
    rows, columns = regions[0][:, None], regions[1][None, :]
    region = torch.where((rows == 2) | (columns == 2), -1, 3 * rows + columns)
    tokens = _split_windows(region[None, :, :, None], window)[0, :, :, 0]
    return (tokens[:, :, None] != tokens[:, None, :]) * BLOCKED
