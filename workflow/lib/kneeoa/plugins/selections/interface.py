"""Interface of the files of this folder: ``select(heads, maps)`` gives, for each level of the
hierarchy that chooses by itself, a :class:`MapSelection` of each map, fine to coarse.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class MapSelection:
    """The locations of one map that a plug-in chose for a batch of images."""

    name: str
    """Name of the map, as the plug-in's parts are called."""
    scores: Tensor
    """Scores that locations are ranked by, float32 ``[batch, locations]``."""
    chosen: Tensor
    """Indices of the chosen locations, highest first, int64 ``[batch, chosen]``."""
