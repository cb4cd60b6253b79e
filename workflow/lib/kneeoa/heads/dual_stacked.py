"""Stacked heads, as in paper A's release: the coarse head reads the fine head's logits (12
parameters for KL to OA).
"""

from __future__ import annotations

from torch import Tensor, nn

from kneeoa.heads.interface import Heads, Supervision

LEVELS = (2, None)
"""The least and the most levels that the mode takes; None: any number."""
CHAIN = "stacked"
"""Arrangement of the heads at each part of a plug-in (:mod:`kneeoa.plugins.interface`)."""


class DualStacked(Heads):
    """The finest head reads the embedding, and each coarser one the outputs of the next finer one:
    a chain of any length.
    """

    def __init__(self, supervisions: tuple[Supervision, ...], width: int) -> None:
        super().__init__(supervisions)
        fine_to_coarse = supervisions[::-1]
        widths = [width, *(each.criterion.outputs for each in fine_to_coarse)]
        self.heads = nn.ModuleList([each.criterion.head(read) for each, read in zip(fine_to_coarse, widths, strict=False)])

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """Outputs ``[batch, outputs]`` of each level, coarse to fine."""
        outputs, read = {}, embedding
        for name, head in zip(reversed(self.levels), self.heads, strict=True):
            outputs[name] = read = head(read)
        return {name: outputs[name] for name in self.levels}


def build(supervisions: tuple[Supervision, ...], width: int) -> Heads:
    """Stacked heads on an embedding of ``width`` components; ``supervisions`` run from coarse to
    fine.
    """
    return DualStacked(supervisions, width)
