"""Where images, masks and labels come from, and how each cohort is divided."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveInt, model_validator

from kneeoa.config.phantom import Phantom
from kneeoa.config.section import Name, Section


class Split(Section):
    """How a cohort's subjects are divided. Subjects never straddle a split."""

    method: Literal["stratified", "given"] = "stratified"
    """stratified: drawn here by level and seed; given: the source's own train/test, validation carved out of train."""
    stratify: Name | None = None
    """The level whose classes are balanced over the splits (a subject counts by its worst knee). Default: the finest level."""
    val: float = Field(default=0.15, ge=0, lt=1)
    """Share of subjects for validation (of the training subjects, where the split is given)."""
    test: float = Field(default=0.25, ge=0, lt=1)
    """Share of subjects for the test set (ignored where the split is given)."""
    seed: int = 0
    """Seed of the draw."""

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(f"'val' ({self.val}) and 'test' ({self.test}) leave nothing for training; their sum must be below 1")
        return self


class Cohort(Section):
    """Images and labels from one source."""

    role: Literal["develop", "external"] = "develop"
    """develop: split into train, val and test; external: test only."""
    reader: Name
    """The layout of the source: see docs/design.md, `cohorts/`."""
    root: str | None = None
    """Folder of the raw data; $VARIABLES are expanded. Not given for the phantom, which the workflow makes."""
    phantom: Phantom | None = None
    """Make this cohort (its raw files included) before reading it."""
    views: tuple[Name, ...] = ("sag_dess",)
    """The views to take from this cohort."""
    visits: tuple[str, ...] = ("00m",)
    """Visits to take, as the source names them."""
    reading_project: int | None = None
    """Prefer the readings of this project where a knee has several (OAI's READPRJ)."""
    tissues: dict[Name, tuple[int, ...]] = Field(default_factory=dict)
    """What the mask labels mean in this cohort, e.g. femoral_cartilage: [2]. Empty: no masks."""
    shards: PositiveInt = 4
    """Into how many pieces of whole subjects the cohort is cut; a changed subject reruns one piece."""
    split: Split = Split()
    """How the cohort's subjects are divided."""

    @model_validator(mode="after")
    def _source(self) -> Self:
        if (self.root is None) == (self.phantom is None):
            raise ValueError("a cohort needs either 'root' (its folder) or 'phantom' (how to make it), and not both")
        if self.phantom is not None and self.reader != "oai":
            raise ValueError("a phantom cohort is written in OAI's layout: 'reader' must be 'oai'")
        return self
