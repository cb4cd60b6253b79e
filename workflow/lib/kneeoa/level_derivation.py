"""Derive a coarse level from a fine one: sum class probabilities and group labels through
``parent_class``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError
from kneeoa.probabilities import class_share


def derive_probabilities(fine: NDArray[np.floating], parent_class: Sequence[int], parents: int) -> NDArray[np.float64]:
    """Probabilities of the parent's classes: the sum over the fine classes that belong to each, in
    rows made to sum to 1 (:func:`kneeoa.probabilities.class_share`).

    Args:
        fine: probabilities of the fine level, shape ``[n, K]``.
        parent_class: for each of the K fine classes, the index of its parent class.
        parents: number of the parent's classes.

    Returns:
        float64 array ``[n, parents]``; a parent class without fine classes gets zero. Sums that are
        equal in the table of ``fine`` are equal here.

    Raises:
        KneeoaError: the shapes disagree or an index is out of range.
    """
    values = np.asarray(fine, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(parent_class):
        raise KneeoaError(f"Probabilities of shape {values.shape} do not fit {len(parent_class)} fine classes; expected [cases, classes].")
    _check_range(parent_class, parents)
    groups = [[index for index, parent_index in enumerate(parent_class) if parent_index == parent] for parent in range(parents)]
    return np.stack([class_share(values, members) for members in groups], axis=1)


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
