"""Divide the cases of an epoch into batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneeoa.training.seeding import Purpose, generator


def evaluation_batches(cases: int, size: int) -> list[NDArray[np.int64]]:
    """Batches of ``size`` for evaluation: positions 0 to ``cases`` - 1 in order; the last may be
    shorter.
    """
    positions = np.arange(cases, dtype=np.int64)
    return [positions[start : start + size] for start in range(0, cases, size)]


def training_batches(cases: int, size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Batches of ``size`` for training: positions 0 to ``cases`` - 1 in the order of this seed and
    epoch.

    A last batch of a single case joins the one before it, since batch normalisation has no variance
    over one case (unless ``size`` is 1).
    """
    order = generator(seed, Purpose.ORDER, epoch).permutation(cases)
    batches = [order[rows] for rows in evaluation_batches(cases, size)]
    if size > 1 and len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [np.concatenate(batches[-2:])]
    return batches
