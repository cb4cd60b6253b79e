"""Parallel heads on one embedding: CE(KL) + lambda x CE(OA, two logits) in paper A's words; here any number of levels."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from kneeoa.config.hierarchy import Level
from kneeoa.modes.interface import Heads


class Dual(Heads):
    """One linear head per level, each with as many outputs as the level has classes."""

    def __init__(self, levels: tuple[Level, ...], weights: Mapping[str, float], width: int) -> None:
        super().__init__(levels, weights)
        self.heads = nn.ModuleList([nn.Linear(width, len(level.classes)) for level in levels])

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """``[batch, classes]`` for each level."""
        return {name: head(embedding) for name, head in zip(self.levels, self.heads, strict=True)}


def build(levels: tuple[Level, ...], weights: Mapping[str, float], width: int) -> Heads:
    """Parallel heads on an embedding of ``width`` components."""
    return Dual(levels, weights, width)
