"""A coarse level read from a fine head: class probabilities summed, labels grouped, through
``parent_class``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError
from kneeoa.probabilities import ROUNDING, clip_rounding


def derive_probabilities(
    fine: NDArray[np.floating], parent_class: Sequence[int], parents: int, tolerance: float = ROUNDING
) -> NDArray[np.float64]:
    """Probabilities of the parent's classes: the sum over the fine classes that belong to each.

    Args:
        fine: probabilities of the fine level, shape ``[n, K]``.
        parent_class: for each of the K fine classes, the index of its parent class.
        parents: number of the parent's classes.
        tolerance: how far rounding of ``fine`` may carry a sum above 1; such a sum is 1.

    Returns:
        float64 array ``[n, parents]``; a parent class without fine classes gets zero. Rows are not
        renormalised, so they sum to what ``fine`` sums to but for that limit.

    Raises:
        KneeoaError: the shapes disagree or an index is out of range.
    """
    values = np.asarray(fine, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(parent_class):
        raise KneeoaError(f"Probabilities of shape {values.shape} do not fit {len(parent_class)} fine classes; expected [cases, classes].")
    _check_range(parent_class, parents)
    coarse = np.zeros((values.shape[0], parents), dtype=np.float64)
    for index, parent in enumerate(parent_class):
        coarse[:, parent] += values[:, index]
    return clip_rounding(coarse, tolerance)


def derive_label(fine_label: int, parent_class: Sequence[int]) -> int:
    """The parent's class of one fine label.

    Raises:
        KneeoaError: ``fine_label`` is not a class of the fine level.
    """
    if not 0 <= fine_label < len(parent_class):
        raise KneeoaError(f"Label {fine_label} is not one of the {len(parent_class)} fine classes (0 to {len(parent_class) - 1}).")
    return int(parent_class[fine_label])


def _check_range(parent_class: Sequence[int], parents: int) -> None:
    wrong = [index for index in parent_class if not 0 <= index < parents]
    if wrong:
        raise KneeoaError(f"'parent_class' holds {wrong[0]}, but the parent level has the classes 0 to {parents - 1}.")
