"""Backbones and arms: what is trained."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kneeoa.config.section import Name, Section
from kneeoa.config.training import Training


class Backbone(Section):
    """A named encoder: a kind (a file in the library's `backbones/`) and that kind's own
    options.
    """

    kind: Name
    """A file in the library's `backbones/`."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Options of the kind, checked by it, e.g. width: 64."""


class ArmRow(Section):
    """One entry of the arms list. A list stands for every one of its values: the entry is their
    product.
    """

    backbone: Name | tuple[Name, ...]
    """Names from `backbones`."""
    mode: Name | tuple[Name, ...]
    """Names from `modes`."""
    grid: Name | tuple[Name, ...] | None = None
    """The input grid; default: the view's canonical one, which lists name canonical."""
    view: Name | tuple[Name, ...] | None = None
    """The view; default: the study's only one."""
    reader: Name | tuple[Name, ...] | None = None
    """Names from `readers`, whose labels are learnt; none (the default) stands for the reference
    labels as they are.
    """
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
    reader: Name | None = None
