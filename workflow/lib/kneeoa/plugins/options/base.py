"""Base class of the options of every plug-in: what it asks of a backbone's maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from kneeoa.backbones.step_cost import StepCost
from kneeoa.config.section import Section

Sizes = Sequence[tuple[int, ...]]
"""Positions of each map along its axes, fine to coarse; a token sequence has one axis."""


class PluginOptions(Section, ABC):
    """A plug-in between a backbone's feature maps and the answers."""

    kind: str
    """A file in the library's `plugins/`, whose options stand beside it."""

    chains: ClassVar[tuple[str, ...]] = ("parallel",)
    """Arrangements of several levels' heads that it takes: a mode says its own (``CHAIN``)."""

    def weights_file(self) -> Path | None:
        """The file of weights that training begins from, its variables expanded; None: none."""
        return None

    def check_image(self, shape: tuple[int, ...], sizes: Sizes, levels: int) -> None:
        """Raise ValueError unless the file of weights is for images of ``shape``, of which the maps
        have these ``sizes``, and for as many ``levels`` that supervise.
        """

    @abstractmethod
    def check_maps(self, sizes: Sizes) -> None:
        """Raise ValueError unless the plug-in can take maps of these sizes."""

    @abstractmethod
    def memory_mb(self, sizes: Sizes, batch: int, dimensions: int, levels: int) -> float:
        """About how many megabytes (10^6 bytes) the plug-in needs of its own for a training step,
        in single precision: its activations, their gradients, its weights and the optimiser's
        moments.

        Args:
            sizes: of the maps that it takes.
            batch: cases at a time.
            dimensions: axes of the image.
            levels: levels that supervise.
        """

    def step_cost(self, sizes: Sizes, widths: Sequence[int], dimensions: int, levels: int) -> StepCost | None:
        """Arithmetic of a training step; its memory is :meth:`memory_mb`. None where a kind does
        not say.

        Args:
            sizes, dimensions, levels: as :meth:`memory_mb` takes them.
            widths: channels of each map.
        """
        return None

    @property
    def public_maps(self) -> bool:
        """Whether it takes the layers of the published network instead of the backbone's own
        maps.
        """
        return False
