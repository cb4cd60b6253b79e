"""Learning rate schedules."""

from __future__ import annotations

import math

from kneeoa.config.training import Training


def learning_rate_at(training: Training, step: int, steps: int) -> float:
    """Learning rate of ``step`` (from 0) of ``steps``.

    Cosine: a linear rise over the first ``warmup`` share of the steps, then half a cosine down
    towards zero, as in SGDR without restarts (Loshchilov and Hutter, ICLR 2017, eq. 5 with a
    minimum of zero). Constant: always the same, as paper A.
    """
    if training.schedule == "constant":
        return training.learning_rate
    rise = round(training.warmup * steps)
    if step < rise:
        return training.learning_rate * (step + 1) / rise
    return training.learning_rate * 0.5 * (1.0 + math.cos(math.pi * (step - rise) / (steps - rise)))
