"""Section of modes: which levels supervise, how their heads are connected, and their losses."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, model_validator

from kneeoa.config.section import MemberOf, Name, Section
from kneeoa.heads import registry
from kneeoa.heads.losses import registry as criteria


class Mode(Section):
    """A mode of supervision: its levels, and how their heads are connected."""

    kind: Annotated[str, MemberOf(registry.kinds)]
    """A file in the library's `heads/`. single: one head. dual: parallel heads on one embedding,
    for two levels or more. dual_stacked: the finest head reads the embedding, and each coarser head
    the outputs of the next finer one, for two levels or more.
    """
    levels: tuple[Name, ...] = Field(min_length=1)
    """The levels that supervise, coarse to fine."""
    weights: dict[Name, PositiveFloat] = Field(default_factory=dict)
    """Weight of a level's loss. Default: 1."""
    losses: dict[Name, Annotated[str, MemberOf(criteria.names)]] = Field(default_factory=dict)
    """Loss of a level: a file in the library's `heads/losses/`. cross_entropy, the default:
    softmax over the classes. corn, coral: for ordinal levels, see docs/training.md. bce: binary
    cross-entropy of one logit for a binary level (the default in a single mode), and of each
    finding for a multilabel level (the default).
    """

    @model_validator(mode="after")
    def _levels(self) -> Self:
        registry.check_level_count(self.kind, self.levels)
        for key in ("weights", "losses"):
            unknown = [name for name in getattr(self, key) if name not in self.levels]
            if unknown:
                raise ValueError(f"'{key}' names {unknown}, which is not among the levels {list(self.levels)}")
        return self
