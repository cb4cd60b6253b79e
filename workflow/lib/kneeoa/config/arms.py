"""Sections of backbones and arms."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kneeoa.config.section import Name, Section
from kneeoa.config.training import Training


class Backbone(Section):
    """A named encoder: a kind (a file in the library's `backbones/`) and the options of that
    kind.
    """

    kind: Name
    """A file in the library's `backbones/`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the kind, e.g. width: 64. Each kind checks its own."""


class ArmRow(Section):
    """One entry of the arms list. Where keys hold lists, the entry makes one arm for every
    combination of their values.
    """

    backbone: Name | tuple[Name, ...]
    """Names from `backbones`."""
    mode: Name | tuple[Name, ...]
    """Names from `modes`."""
    grid: Name | tuple[Name, ...] | None = None
    """The input grid. Default: the view's canonical one, which is called canonical in a list."""
    view: Name | tuple[Name, ...] | None = None
    """The view. Default: the study's only one."""
    rater: Name | tuple[Name, ...] | None = None
    """Names from `raters`: the arms are trained on that rater's labels. none, the default, stands
    for the reference labels.
    """
    plugin: Name | tuple[Name, ...] | None = None
    """Names from `plugins`: the arms answer through that plug-in. none, the default, stands for
    heads on the embedding.
    """
    training: dict[str, Any] = Field(default_factory=dict)
    """Changes to the study's training section for these arms, e.g. epochs: 8."""
    name: str = "{backbone}-{mode}"
    """The arms' names. Factors in braces are replaced by their values. Where the name is left out,
    an arm with a plug-in has -{plugin} after the default.
    """


class Arm(Section):
    """One row of the arms table: a name and its factors."""

    name: Name
    backbone: Name
    mode: Name
    grid: Name | None
    view: Name | None
    training: Training
    rater: Name | None = None
    plugin: Name | None = None
