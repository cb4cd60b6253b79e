"""A threshold chosen on validation cases.

A threshold picked on the cases it is judged by flatters the model. What it does on test cases is
told by sensitivity, specificity and predictive values (:mod:`kneeoa.statistics.kernels`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import classes_of, finite, same_length

Rule = Literal["youden", "sensitivity", "specificity"]


@dataclass(frozen=True)
class Threshold:
    """A case is called positive where probability >= ``threshold``; the rates are those on the
    validation cases.
    """

    threshold: float
    sensitivity: float
    specificity: float
    n: int
    method: str


def choose_threshold(truth: ArrayLike, probability: ArrayLike, rule: Rule = "youden", target: float = 0.9) -> Threshold:
    """The threshold that a rule picks on validation cases, one of the predicted values.

    Args:
        truth: 0 or 1, ``[n]``.
        probability: any score, ``[n]``.
        rule: youden: highest sensitivity + specificity, the highest such threshold on ties;
            sensitivity: the highest threshold with at least ``target`` of it; specificity: the
            lowest threshold with at least ``target`` of it (where none has it, just above the
            highest score: nobody is called).
        target: of the rule's rate.

    Raises:
        KneeoaError: a class is absent, an unknown rule, a target out of range.
        ValueError: values that are not finite, truth not binary, lengths that differ.
    """
    labels, values = classes_of(truth, 2), finite(probability, "probability")
    same_length(labels.size, probability=values)
    if not 0 < target <= 1:
        raise KneeoaError(f"target: expected a share above 0 and at most 1, got {target}.")
    if labels.all() or not labels.any():
        raise KneeoaError("truth: a threshold needs validation cases of both classes.")
    levels = np.append(np.unique(values), np.nextafter(values.max(), np.inf))
    positives, negatives = np.sort(values[labels == 1]), np.sort(values[labels == 0])
    missed = np.searchsorted(positives, levels, side="left") / positives.size
    specificity = np.searchsorted(negatives, levels, side="left") / negatives.size
    sensitivity = 1 - missed
    if rule == "youden":
        gain = sensitivity + specificity
        place = int(np.flatnonzero(gain >= gain.max() - 1e-12)[-1])
    elif rule == "sensitivity":
        place = int(np.flatnonzero(sensitivity >= target - 1e-12)[-1])
    elif rule == "specificity":
        place = int(np.flatnonzero(specificity >= target - 1e-12)[0])
    else:
        raise KneeoaError(f"rule: expected youden, sensitivity or specificity, got '{rule}'.")
    method = ("highest Youden index" if rule == "youden" else f"{rule} of at least {target:g}") + " on validation cases"
    return Threshold(float(levels[place]), float(sensitivity[place]), float(specificity[place]), labels.size, method)
