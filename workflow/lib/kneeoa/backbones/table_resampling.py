"""Learned tables over positions, brought from the grid that they were learned on to another."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

MODES = {1: "linear", 2: "bicubic", 3: "trilinear"}
"""By axes of the grid; there is no cubic interpolation over three."""


def resampled_table(table: Tensor, grid: tuple[int, ...]) -> Tensor:
    """``[*old grid, width]`` interpolated to ``[*grid, width]``, the outermost positions' outer
    edges kept in place.
    """
    values = table.movedim(-1, 0).unsqueeze(0).float()
    resized = functional.interpolate(values, size=grid, mode=MODES[len(grid)], align_corners=False)
    return resized[0].movedim(0, -1).to(table.dtype)
