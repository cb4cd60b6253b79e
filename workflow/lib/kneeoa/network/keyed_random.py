"""Per-case counter-based random numbers (SplitMix64): a function of the case's key and a count,
whatever the batch and the device.

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
"""Random bits of each uniform number: with the half added to keep it off 0 and 1, it fits float32
exactly.
"""


def derive_keys(keys: Tensor, number: int) -> Tensor:
    """Derive new keys (int64, the shape of ``keys``) for purpose ``number`` (from 0) of each
    case.
    """
    return _finalise(keys + GAMMA * (number + 1) % (1 << 63))


def uniform(keys: Tensor, count: int) -> Tensor:
    """Uniform numbers strictly between 0 and 1, float32 ``[cases, count]``, for int64 ``keys``
    ``[cases]``.
    """
    return torch.cat(_uniform_pairs(keys, count), dim=1)[:, :count]


def normal(keys: Tensor, count: int) -> Tensor:
    """Standard normal numbers, float32 ``[cases, count]``, by Box and Muller's transform (1958);
    none exceeds 5.8 in absolute value.
    """
    first, second = _uniform_pairs(keys, count)
    radius = first.log_().mul_(-2.0).sqrt_()
    angle = second.mul_(2.0 * math.pi)
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)[:, :count]


def _uniform_pairs(keys: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Two uniform numbers from every 64-bit word, each ``[cases, ceil(count / 2)]``."""
    counter = torch.arange(1, (count + 1) // 2 + 1, device=keys.device, dtype=torch.int64)
    words = _finalise(keys[:, None] + GAMMA * counter)
    return _to_unit_interval(_shift_right(words, 64 - BITS)), _to_unit_interval(_shift_right(words, 64 - 2 * BITS) & ((1 << BITS) - 1))


def _to_unit_interval(whole: Tensor) -> Tensor:
    return (whole.float() + 0.5) * 2.0**-BITS


def _finalise(state: Tensor) -> Tensor:
    """SplitMix64's finaliser: every bit of the state reaches every bit of the result."""
    state = (state ^ _shift_right(state, 30)) * FIRST
    state = (state ^ _shift_right(state, 27)) * SECOND
    return state ^ _shift_right(state, 31)


def _shift_right(words: Tensor, bits: int) -> Tensor:
    """Shift right and fill with zeros, as for unsigned numbers."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)
