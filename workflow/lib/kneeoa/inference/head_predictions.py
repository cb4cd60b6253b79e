"""Turn a head's class logits into probabilities of its own level and of every coarser level that
its classes group into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from kneeoa.config.derived_levels import class_groupings
from kneeoa.config.hierarchy import Level
from kneeoa.inference.outputs import Logits
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.temperature import apply_temperature


@dataclass(frozen=True)
class HeadPrediction:
    """One head's prediction of one level."""

    level: str
    head: str
    probabilities: Floats
    """``[cases, classes of the level]``; calibrated where ``calibrated``."""
    logits: Floats
    """``[cases, classes of the level]``, as the network gave them: no temperature. Of a derived
    level the logsumexp over each class's fine classes: two cases never tie in them.
    """
    calibrated: bool


def predict_levels(logits: Logits, levels: tuple[Level, ...], temperatures: Mapping[str, float]) -> Iterator[HeadPrediction]:
    """Predictions of every level by every head: its own level first, then its parent, and so on.

    Args:
        logits: of the heads.
        levels: the hierarchy, coarse to fine.
        temperatures: of the heads that are calibrated. A derived level sums the calibrated
            probabilities of the finer head, through logsumexp of its logits.
    """
    declared = {level.name: level for level in levels}
    for head, head_logits in logits.items():
        probabilities = class_probabilities(head_logits, declared[head], temperatures.get(head, 1.0))
        for level, groups in class_groupings(levels, head).items():
            size = len(declared[level].classes)
            if level == head:
                yield HeadPrediction(level, head, probabilities, head_logits, head in temperatures)
            else:
                summed: Floats = softmax(_coarse_logits(head_logits / temperatures.get(head, 1.0), groups, size), axis=1)
                yield HeadPrediction(level, head, summed, _coarse_logits(head_logits, groups, size), head in temperatures)


def class_probabilities(logits: Floats, level: Level, temperature: float = 1.0) -> Floats:
    """Probabilities ``[cases, classes]`` at a temperature; findings of a multilabel level are
    independent, all others sum to 1.
    """
    if not level.exclusive:
        independent: Floats = expit(logits / temperature)
        return independent
    return apply_temperature(logits, temperature)


def _coarse_logits(logits: Floats, groups: tuple[int, ...], size: int) -> Floats:
    """Logits whose softmax sums the fine classes' probabilities; minus infinity for a class without
    fine ones.
    """
    coarse = np.full((len(logits), size), -np.inf)
    for fine, parent in enumerate(groups):
        coarse[:, parent] = np.logaddexp(coarse[:, parent], logits[:, fine])
    return coarse
