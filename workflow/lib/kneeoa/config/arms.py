"""Backbones, modes and arms: what is trained."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from kneeoa.config.section import Name, Section


class Backbone(Section):
    """A named encoder: a kind (a file in the library's `backbones/`) and that kind's own options."""

    kind: Name
    """A file in the library's `backbones/`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the kind, checked by it, e.g. width: 64."""


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


class Augmentation(Section):
    """Random changes of training images; all zero is none (paper A)."""

    shift: float = Field(default=0.0, ge=0, le=0.25)
    """Largest translation, as a share of each axis."""
    scale: float = Field(default=0.0, ge=0, lt=0.5)
    """Largest relative change of intensity scale."""
    noise: float = Field(default=0.0, ge=0)
    """Standard deviation of added Gaussian noise, in standard deviations of the image."""


class Training(Section):
    """How a run is trained."""

    epochs: PositiveInt = 100
    """Passes over the training cases."""
    batch: PositiveInt = 2
    """Cases per step."""
    learning_rate: PositiveFloat = 1e-4
    """Peak learning rate of AdamW."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """Decoupled weight decay of AdamW."""
    warmup: float = Field(default=0.05, ge=0, lt=1)
    """Share of all steps over which the learning rate rises linearly; then cosine decay. Ignored for constant."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """How the learning rate goes."""
    checkpoint: Literal["best", "last"] = "best"
    """best: the epoch with the lowest validation loss; last: the final one (paper A)."""
    augmentation: Augmentation = Augmentation()
    """Random changes of training images."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: autocast on a GPU; ignored on a CPU."""
    predict_batch: PositiveInt = 8
    """Cases per step when predicting and explaining."""


class ArmRow(Section):
    """One entry of the arms list. A list stands for every one of its values: the entry is their product."""

    backbone: Name | tuple[Name, ...]
    """Names from `backbones`."""
    mode: Name | tuple[Name, ...]
    """Names from `modes`."""
    grid: Name | None = None
    """The input grid; default: the view's canonical one."""
    view: Name | None = None
    """The view; default: the study's only one."""
    training: dict[str, Any] = Field(default_factory=dict)
    """Changes to the study's training section for these arms, e.g. epochs: 8."""
    name: str = "{backbone}-{mode}"
    """The arms' names; the factors in braces are replaced."""


class Arm(Section):
    """One row of the arms table: a name and its factors."""

    name: Name
    backbone: Name
    mode: Name
    grid: Name | None
    view: Name | None
    training: Training
