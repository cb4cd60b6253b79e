"""Measure the joint space of radiographs: its width and area, compartment by compartment.

The width is counted along the picture's columns, on the mask's own pixels. Its least value, over
columns of 2 mm and without the outer sixths of the compartment, where condyles turn upwards, is the
minimum joint space width that readers measure (Duryea et al. 2000, Medical Physics 27:580).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.masks.cartilage_regions import RegionMeasures
from kneeoa.masks.tissue_labels import joint_space_values

_COLUMN_MM = 2.0
_RIM = 6


def measure_joint_space(
    labels: NDArray[np.uint8], values: Mapping[str, int], spacing: tuple[float, float], *, lateral_first: bool
) -> list[RegionMeasures]:
    """Measure every joint space of a label map, in the order of names; one that is not medial or
    lateral by its name also by halves, divided where it is emptiest in its middle third.

    Args:
        labels: stored values, ``[rows, columns]``, rows from head to foot.
        values: the stored value of each tissue.
        spacing: mm of a pixel along rows and columns.
        lateral_first: the first column is the knee's lateral side.
    """
    measured: list[RegionMeasures] = []
    for name, value in sorted(joint_space_values(values).items()):
        heights = (labels == value).sum(axis=0) * spacing[0]
        measured.append(_measure(name, heights, spacing[1]))
        if "medial" in name or "lateral" in name:
            continue
        middle = _emptiest(heights)
        halves = (heights[:middle], heights[middle:])
        lateral, medial = halves if lateral_first else halves[::-1]
        measured += [_measure(f"{name}_medial", medial, spacing[1]), _measure(f"{name}_lateral", lateral, spacing[1])]
    return measured


def _measure(name: str, heights: NDArray[np.float64], column: float) -> RegionMeasures:
    """Measures of a region from its height (mm) in each column of ``column`` millimetres."""
    filled = np.flatnonzero(heights)
    if not filled.size:
        return RegionMeasures(name, None, None, 0.0, None)
    smooth = ndimage.uniform_filter1d(heights, max(1, round(_COLUMN_MM / column)))
    parts = np.split(filled, np.flatnonzero(np.diff(filled) > 1) + 1)  # a joint space of both compartments has two
    inner = np.concatenate([part[len(part) // _RIM : len(part) - len(part) // _RIM] for part in parts])
    return RegionMeasures(name, None, float(heights[filled].mean()), float(heights.sum() * column), None, float(smooth[inner].min()))


def _emptiest(heights: NDArray[np.float64]) -> int:
    """The column between medial and lateral: in the middle of the emptiest ones of the middle
    third.
    """
    filled = np.flatnonzero(heights)
    if not filled.size:
        return len(heights) // 2
    low, high = int(filled[0]), int(filled[-1]) + 1
    third = (high - low) // 3
    inner = heights[low + third : high - third]
    empty = np.flatnonzero(inner == inner.min()) if inner.size else np.zeros(1)
    return int(low + third + np.ceil(empty.mean()))
