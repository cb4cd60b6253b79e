"""Base class of the options of every plug-in: what it asks of a backbone's maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from kneeoa.config.section import Section

Sizes = Sequence[tuple[int, ...]]
"""Positions of each map along its axes, fine to coarse; a token sequence has one axis."""


class PluginOptions(Section, ABC):
    """A plug-in between a backbone's feature maps and the answers."""

    kind: str
    """A file in the library's `plugins/`, whose options stand beside it."""

    @abstractmethod
    def check_maps(self, sizes: Sizes) -> None:
        """Raise ValueError unless the plug-in can take maps of these sizes."""

    @property
    def public_maps(self) -> bool:
        """Whether it takes the layers of the published network instead of the backbone's own
        maps.
        """
        return False
