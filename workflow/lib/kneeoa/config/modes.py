"""Modes: which levels supervise, how the heads sit, and what each of them is trained by."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from kneeoa.config.section import Name, Section

LOSSES = {
    "binary": ("cross_entropy", "bce"),
    "multiclass": ("cross_entropy",),
    "ordinal": ("cross_entropy", "corn", "coral"),
    "multilabel": ("bce",),
}
"""Which losses a kind of level can be trained by, the default first."""


class Mode(Section):
    """How the levels supervise and how the heads sit."""

    kind: Literal["single", "dual", "dual_stacked"]
    """single: one head; dual: parallel heads on one embedding; dual_stacked: the finest head reads
    the embedding, and each coarser head the outputs of the next finer one. Both take two levels or
    more.
    """
    levels: tuple[Name, ...] = Field(min_length=1)
    """The levels that supervise, coarse to fine."""
    weights: dict[Name, PositiveFloat] = Field(default_factory=dict)
    """Loss weight of a level (default 1)."""
    losses: dict[Name, Literal["cross_entropy", "bce", "corn", "coral"]] = Field(default_factory=dict)
    """What a level is trained by. cross_entropy: softmax over the classes (default); corn, coral:
    ordinal levels, see docs/training.md; bce: binary cross-entropy, of one logit for a binary level
    (default in a single mode), of each finding for a multilabel one.
    """

    @model_validator(mode="after")
    def _levels(self) -> Self:
        if self.kind == "single" and len(self.levels) != 1:
            raise ValueError(f"a single mode takes exactly one level, not {list(self.levels)}")
        if self.kind != "single" and len(self.levels) < 2:
            raise ValueError(f"a {self.kind} mode takes at least two levels, not {list(self.levels)}")
        for key in ("weights", "losses"):
            unknown = [name for name in getattr(self, key) if name not in self.levels]
            if unknown:
                raise ValueError(f"'{key}' names {unknown}, which is not among the levels {list(self.levels)}")
        return self

    def loss_of(self, level: str, kind: str) -> str:
        """What ``level``, which is of ``kind``, is trained by.

        Raises:
            ValueError: the loss that the configuration names does not suit that kind.
        """
        default = "bce" if self.kind == "single" and kind == "binary" else LOSSES[kind][0]
        loss = self.losses.get(level, default)
        if loss not in LOSSES[kind]:
            raise ValueError(f"'losses.{level}' is '{loss}', but level '{level}' is {kind}, which takes {' or '.join(LOSSES[kind])}")
        return loss
