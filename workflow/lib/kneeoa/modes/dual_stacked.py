"""Stacked heads, as paper A's release has them: the coarse head reads the fine head's logits (12 parameters for KL to OA)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from kneeoa.config.hierarchy import Level
from kneeoa.modes.interface import Heads


class DualStacked(Heads):
    """A fine head on the embedding, and a coarse head on its logits."""

    def __init__(self, levels: tuple[Level, ...], weights: Mapping[str, float], width: int) -> None:
        super().__init__(levels, weights)
        coarse, fine = levels
        self.coarse_name, self.fine_name = coarse.name, fine.name
        self.fine = nn.Linear(width, len(fine.classes))
        self.coarse = nn.Linear(len(fine.classes), len(coarse.classes))

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """``[batch, classes]`` for the coarse and the fine level."""
        fine = self.fine(embedding)
        return {self.coarse_name: self.coarse(fine), self.fine_name: fine}


def build(levels: tuple[Level, ...], weights: Mapping[str, float], width: int) -> Heads:
    """Stacked heads on an embedding of ``width`` components; ``levels`` are coarse, then fine."""
    return DualStacked(levels, weights, width)
