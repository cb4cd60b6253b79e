"""One head: a single logit with binary cross-entropy for a binary level (paper A's single-OA),
softmax for others (single-KL).
"""

from __future__ import annotations

from torch import Tensor

from kneeoa.heads.interface import Heads, Supervision

LEVELS = (1, 1)
"""The least and the most levels that the mode takes."""
DEFAULT_LOSSES = {"binary": "bce"}
"""By kind of level, where it is another than elsewhere: one logit, as in paper A."""
CHAIN = "parallel"
"""Arrangement of the heads at each part of a plug-in (:mod:`kneeoa.plugins.interface`)."""


class Single(Heads):
    """Supervision by one level alone."""

    def __init__(self, supervisions: tuple[Supervision, ...], width: int) -> None:
        super().__init__(supervisions)
        (only,) = supervisions
        self.name = only.level.name
        self.head = only.criterion.head(width)

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """Outputs ``[batch, outputs]`` of the one level."""
        return {self.name: self.head(embedding)}


def build(supervisions: tuple[Supervision, ...], width: int) -> Heads:
    """A single head on an embedding of ``width`` components."""
    return Single(supervisions, width)
