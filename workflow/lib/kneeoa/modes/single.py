"""One head: a single logit with binary cross-entropy for a binary level (paper A's single-OA), softmax for others (single-KL)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from kneeoa.config.hierarchy import Level
from kneeoa.modes.interface import Heads


class Single(Heads):
    """Supervision by one level alone."""

    def __init__(self, levels: tuple[Level, ...], weights: Mapping[str, float], width: int) -> None:
        super().__init__(levels, weights)
        (level,) = levels
        self.name = level.name
        self.head = nn.Linear(width, 1 if level.kind == "binary" else len(level.classes))

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """One entry: ``[batch, 1]`` for a binary level, else ``[batch, classes]``."""
        return {self.name: self.head(embedding)}


def build(levels: tuple[Level, ...], weights: Mapping[str, float], width: int) -> Heads:
    """A single head on an embedding of ``width`` components."""
    return Single(levels, weights, width)
