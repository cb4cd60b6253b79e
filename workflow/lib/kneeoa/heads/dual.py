"""Parallel heads on one embedding, for any number of levels; paper A's CE(KL) + lambda x CE(OA, two
logits).
"""

from __future__ import annotations

from torch import Tensor, nn

from kneeoa.heads.interface import Heads, Supervision

LEVELS = (2, None)
"""The least and the most levels that the mode takes; None: any number."""
CHAIN = "parallel"
"""Arrangement of the heads at each part of a plug-in (:mod:`kneeoa.plugins.interface`)."""


class Dual(Heads):
    """One head per level, each on the embedding."""

    def __init__(self, supervisions: tuple[Supervision, ...], width: int) -> None:
        super().__init__(supervisions)
        self.heads = nn.ModuleList([each.criterion.head(width) for each in supervisions])

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """Outputs ``[batch, outputs]`` of each level."""
        return {name: head(embedding) for name, head in zip(self.levels, self.heads, strict=True)}


def build(supervisions: tuple[Supervision, ...], width: int) -> Heads:
    """Parallel heads on an embedding of ``width`` components."""
    return Dual(supervisions, width)
