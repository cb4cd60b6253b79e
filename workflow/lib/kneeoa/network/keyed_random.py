"""Random numbers that are a function of a case's key and a count, wherever and in whatever company
the case is computed.

torch's own generators draw one number after the other, so what a case gets depends on how many
cases come before it in the batch, and on the device. Here number i of key k is SplitMix64's i-th
output from state k (Steele, Lea and Flood, OOPSLA 2014, fig. 17): a few integer operations that run
on any device, all positions at once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

GAMMA = 0x9E3779B97F4A7C15 - (1 << 64)  # as signed numbers: torch has no unsigned 64-bit arithmetic, and products wrap alike
FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
SECOND = 0x94D049BB133111EB - (1 << 64)
BITS = 23
"""Of each uniform number: with the half that keeps it off 0 and 1 it fits float32 exactly."""


def mixed(keys: Tensor, number: int) -> Tensor:
    """New keys (int64, the shape of ``keys``) for purpose ``number`` (from 0) of each case."""
    return _finish(keys + GAMMA * (number + 1) % (1 << 63))


def uniform(keys: Tensor, count: int) -> Tensor:
    """Numbers strictly between 0 and 1, float32 ``[cases, count]``, for int64 ``keys``
    ``[cases]``.
    """
    return torch.cat(_pairs(keys, count), dim=1)[:, :count]


def normal(keys: Tensor, count: int) -> Tensor:
    """Standard normal numbers, float32 ``[cases, count]``, by Box and Muller's transform (1958);
    none is beyond 5.8.
    """
    first, second = _pairs(keys, count)
    radius = first.log_().mul_(-2.0).sqrt_()
    angle = second.mul_(2.0 * math.pi)
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)[:, :count]


def _pairs(keys: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Two uniform numbers of every 64-bit word, each ``[cases, ceil(count / 2)]``."""
    counter = torch.arange(1, (count + 1) // 2 + 1, device=keys.device, dtype=torch.int64)
    words = _finish(keys[:, None] + GAMMA * counter)
    return _between(_shifted(words, 64 - BITS)), _between(_shifted(words, 64 - 2 * BITS) & ((1 << BITS) - 1))


def _between(whole: Tensor) -> Tensor:
    return (whole.float() + 0.5) * 2.0**-BITS


def _finish(state: Tensor) -> Tensor:
    """SplitMix64's finaliser: every bit of the state reaches every bit of the result."""
    state = (state ^ _shifted(state, 30)) * FIRST
    state = (state ^ _shifted(state, 27)) * SECOND
    return state ^ _shifted(state, 31)


def _shifted(words: Tensor, bits: int) -> Tensor:
    """A shift to the right that fills with zeros, as of unsigned numbers."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)
