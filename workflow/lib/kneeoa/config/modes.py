"""Modes: which levels supervise, and how the heads sit."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from kneeoa.config.section import Name, Section


class Mode(Section):
    """How the levels supervise and how the heads sit."""

    kind: Literal["single", "dual", "dual_stacked"]
    """single: one head; dual: parallel heads on one embedding; dual_stacked: the coarse head reads the fine head's logits."""
    levels: tuple[Name, ...] = Field(min_length=1)
    """The levels that supervise, coarse to fine."""
    weights: dict[Name, PositiveFloat] = Field(default_factory=dict)
    """Loss weight of a level (default 1)."""

    @model_validator(mode="after")
    def _levels(self) -> Self:
        if self.kind == "single" and len(self.levels) != 1:
            raise ValueError(f"a single mode takes exactly one level, not {list(self.levels)}")
        if self.kind == "dual" and len(self.levels) < 2:
            raise ValueError("a dual mode takes at least two levels")
        if self.kind == "dual_stacked" and len(self.levels) != 2:
            raise ValueError("a dual_stacked mode takes exactly two levels, coarse then fine")
        unknown = [name for name in self.weights if name not in self.levels]
        if unknown:
            raise ValueError(f"'weights' names {unknown}, which is not among the levels {list(self.levels)}")
        return self
