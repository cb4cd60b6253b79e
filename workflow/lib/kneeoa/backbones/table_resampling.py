"""Resample learned tables of positions from the grid that they were learned on to another."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

MODES = {1: "linear", 2: "bicubic", 3: "trilinear"}
"""Interpolation by the number of axes; torch has no cubic interpolation over three."""


def resample_table(table: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Interpolate ``[*old grid, width]`` to ``[*grid, width]``; the outer edges of the outermost
    positions stay in place.
    """
    values = table.movedim(-1, 0).unsqueeze(0).float()
    resized = functional.interpolate(values, size=grid, mode=MODES[len(grid)], align_corners=False)
    return resized[0].movedim(0, -1).to(table.dtype)
