"""Places of a map's locations in the image: cells that divide each of its axes evenly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Size = tuple[int, ...]


@dataclass(frozen=True)
class LocationGrid:
    """A grid of cells over the whole image, one location a cell, row by row."""

    cells: Size
    """Along each axis of the image."""
    before: int
    """Locations before the first cell, which have no place: a class token."""


def location_grid(size: Size, grids: Sequence[Size], dimensions: int) -> LocationGrid | None:
    """The grid of a map of ``size``; None where its locations have no place in the image.

    A token sequence has the place of a grid of the same network with as many cells, or with one
    fewer, where its first token is the class token. Tokens that are whole slices have none.

    Args:
        size: positions along the map's axes; a token sequence has one.
        grids: sizes of the backbone's own maps.
        dimensions: axes of the image.
    """
    if len(size) == dimensions:
        return LocationGrid(size, 0)
    for before in (0, 1):
        for grid in grids:
            if len(grid) == dimensions and math.prod(grid) + before == math.prod(size):
                return LocationGrid(grid, before)
    return None
