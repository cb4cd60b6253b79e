"""Modes: which levels supervise, how the heads sit, and what each of them is trained by."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, model_validator

from kneeoa.config.section import MemberOf, Name, Section
from kneeoa.modes import registry
from kneeoa.modes.criteria import registry as criteria


class Mode(Section):
    """How the levels supervise and how the heads sit."""

    kind: Annotated[str, MemberOf(registry.kinds)]
    """A file in the library's `modes/`. single: one head; dual: parallel heads on one embedding;
    dual_stacked: the finest head reads the embedding, and each coarser head the outputs of the next
    finer one. Both take two levels or more.
    """
    levels: tuple[Name, ...] = Field(min_length=1)
    """The levels that supervise, coarse to fine."""
    weights: dict[Name, PositiveFloat] = Field(default_factory=dict)
    """Loss weight of a level (default 1)."""
    losses: dict[Name, Annotated[str, MemberOf(criteria.names)]] = Field(default_factory=dict)
    """What a level is trained by: a file in the library's `modes/criteria/`. cross_entropy: softmax
    over the classes (default); corn, coral: ordinal levels, see docs/training.md; bce: binary
    cross-entropy, of one logit for a binary level (default in a single mode), of each finding for a
    multilabel one.
    """

    @model_validator(mode="after")
    def _levels(self) -> Self:
        registry.check_level_count(self.kind, self.levels)
        for key in ("weights", "losses"):
            unknown = [name for name in getattr(self, key) if name not in self.levels]
            if unknown:
                raise ValueError(f"'{key}' names {unknown}, which is not among the levels {list(self.levels)}")
        return self
