"""Rank measures of how a position orders the grades, for many rows of bootstrap weights at once.

Weights are whole numbers of copies; a case drawn twice is tied with itself, as in an explicit
resample. Every measure equals scipy's on the repeated table (``spearmanr``, ``kendalltau`` tau-b,
``somersd(grade, position)``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats, MeasureFamily
from kneeoa.geometry.trend import trend_z, variance_shares

_ONE_VALUE = "all cases share one value"


class SortedValues:
    """Values sorted once, for weighted ranks; runs of equal values are ties."""

    def __init__(self, values: Floats) -> None:
        self.order = np.argsort(values, kind="stable")
        ordered = values[self.order]
        self.starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if values.size else np.zeros(0, dtype=np.intp)
        self.run = np.empty(values.size, dtype=np.intp)
        self.run[self.order] = np.repeat(np.arange(self.starts.size), np.diff(np.r_[self.starts, values.size]))

    def runs(self, weights: Floats) -> Floats:
        """Weight of each run of ties, in ascending order: ``[..., cases]`` to ``[..., runs]``."""
        if not self.starts.size:
            return np.zeros((*weights.shape[:-1], 0))
        ordered = np.take(weights, self.order, axis=-1)
        return ordered if self.starts.size == self.order.size else np.add.reduceat(ordered, self.starts, axis=-1)

    def ranks(self, weights: Floats) -> Floats:
        """Mid-rank of each case in each resample: ``[resamples, cases]``."""
        runs = self.runs(weights)
        return np.take(np.cumsum(runs, axis=-1) - (runs - 1) / 2, self.run, axis=-1)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    out = np.full(np.broadcast(top, bottom).shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def weighted_pearson(weights: Floats, x: Floats, y: Floats) -> Floats:
    """Pearson correlation of each resample; ``x`` and ``y`` are ``[cases]`` or ``[resamples,
    cases]``; NaN where one is constant.
    """
    return pearson_of_centred(weights, weighted_centred(weights, x), weighted_centred(weights, y))


def weighted_centred(weights: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return values less their weighted mean, and their weighted sum of squares ``[resamples]``, 0
    where they are constant.
    """
    total = np.maximum(weights.sum(axis=-1, keepdims=True), 1)  # without cases: undefined, not a division by zero
    deviations = values - (weights * values).sum(axis=-1, keepdims=True) / total
    spread = (weights * deviations * deviations).sum(axis=-1)
    # Centring a constant leaves its rounding error: less than single precision counts as none.
    floor = np.finfo(np.float32).eps ** 2 * (weights * values * values).sum(axis=-1)
    return deviations, np.where(spread > floor, spread, 0.0)


def pearson_of_centred(weights: Floats, x: tuple[Floats, Floats], y: tuple[Floats, Floats]) -> Floats:
    """Return :func:`weighted_pearson` of two results of :func:`centred`."""
    return _ratio((weights * x[0] * y[0]).sum(axis=-1), np.sqrt(x[1] * y[1]))


def correlation_measures(position: Floats, severity: Floats) -> MeasureFamily:
    """``spearman`` and ``pearson`` of the position with a continuous severity; both ``[cases]``."""
    by_position, by_severity = SortedValues(position), SortedValues(severity)

    def compute(weights: Floats) -> dict[str, Floats]:
        return {
            "spearman": weighted_pearson(weights, by_position.ranks(weights), by_severity.ranks(weights)),
            "pearson": weighted_pearson(weights, position, severity),
        }

    return MeasureFamily(compute, {"spearman": _ONE_VALUE, "pearson": _ONE_VALUE})


def mann_whitney_wins(position: SortedValues, member: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Count for each pair of classes how often a case of one lies above a case of the other.

    Args:
        position: the cases' positions, sorted (``[cases]``).
        member: ``[classes, cases]``, which case is in which class.
        weights: ``[resamples, cases]``.

    Returns:
        ``won[resamples, a, b]``: pairs in which the case of class b lies above that of class a, a
        tie counting one half (Mann-Whitney's U, so that AUC(a, b) is ``won / (n_a n_b)``); and the
        class sizes ``[resamples, classes]``.
    """
    runs = position.runs(weights[:, None, :] * member)
    below = np.cumsum(runs, axis=-1) - runs / 2
    return np.matmul(below, np.swapaxes(runs, 1, 2)), runs.sum(axis=-1)


def binary_measures(position: Floats, positive: NDArray[np.bool_], *, flip: bool) -> MeasureFamily:
    """``spearman`` with a yes/no label and ``probe_auc``; arguments ``[cases]``.

    ``probe_auc`` is the AUC of a one-dimensional logistic probe fitted on training cases: a
    logistic curve is monotone, so it equals the position's AUC, reversed (``flip``) where the
    probe's training slope is negative.
    """
    by_position, by_label = SortedValues(position), SortedValues(positive.astype(np.float64))
    member = np.stack([~positive, positive])

    def compute(weights: Floats) -> dict[str, Floats]:
        won, sizes = mann_whitney_wins(by_position, member, weights)
        auc = _ratio(won[:, 0, 1], sizes[:, 0] * sizes[:, 1])
        return {
            "spearman": weighted_pearson(weights, by_position.ranks(weights), by_label.ranks(weights)),
            "probe_auc": 1 - auc if flip else auc,
        }

    return MeasureFamily(compute, {"spearman": _ONE_VALUE, "probe_auc": "one class only"})


def grade_measures(position: Floats, grade: NDArray[np.int64], classes: Sequence[int]) -> MeasureFamily:
    """Association, adjacent separation and centroid order of the position over ordinal grades.

    ``position`` and ``grade`` are ``[cases]``; ``classes`` are all grades of the level, ascending.
    Measures: ``spearman``, ``kendall_tau_b``, ``somers_d`` (position given grade: pairs of
    different grades in order minus out of order, over all such pairs), ``adjacent_auc_<a>_<b>`` and
    their least, ``adjacent_auc_min``, ``centroid_position_<k>`` (mean position of a grade),
    ``adjacent_d_min`` (the least step between adjacent centroids, over the standard deviation
    within grades), ``jonckheere_terpstra_z``, the nested ``linear_r2``, ``isotonic_r2`` and
    ``eta2`` (:mod:`kneeoa.geometry.trend`), ``centroid_inversions`` (pairs of grades whose
    centroids are out of order) and ``centroid_order`` (1 where none is). The centroid measures are
    over the grades that occur among the cases; a resample that lost one of them is undefined.
    """
    by_position, by_grade = SortedValues(position), SortedValues(grade.astype(np.float64))
    member = np.stack([grade == value for value in classes])
    upper = np.triu_indices(len(classes), k=1)
    present = [index for index, row in enumerate(member) if row.any()]
    adjacent = [(index, index + 1) for index in range(len(classes) - 1)]
    undefined = dict.fromkeys(("spearman", "kendall_tau_b", "somers_d"), _ONE_VALUE)
    absent = [classes[index] for index in range(len(classes)) if index not in present]
    undefined |= dict.fromkeys(("jonckheere_terpstra_z", "linear_r2", "isotonic_r2", "eta2"), _ONE_VALUE)
    undefined["adjacent_auc_min"] = undefined["adjacent_d_min"] = f"no case of grade {absent[0]}" if absent else "an empty grade"
    for value in classes:
        undefined[f"centroid_position_{value}"] = f"no case of grade {value}"
    for a, b in adjacent:
        undefined[f"adjacent_auc_{classes[a]}_{classes[b]}"] = f"no case of grade {classes[b] if a in present else classes[a]}"
    undefined["centroid_inversions"] = undefined["centroid_order"] = "fewer than two grades among the cases"

    def compute(weights: Floats) -> dict[str, Floats]:
        won, sizes = mann_whitney_wins(by_position, member, weights)
        pairs = sizes[:, :, None] * sizes[:, None, :]
        ordered = (2 * won - pairs)[:, upper[0], upper[1]].sum(axis=1)
        graded = pairs[:, upper[0], upper[1]].sum(axis=1)
        ties = by_position.runs(weights)
        placed = (ties.sum(axis=-1) ** 2 - (ties**2).sum(axis=-1)) / 2  # pairs of different positions
        auc = _ratio(won, pairs)
        centroid = _ratio(weights @ (member * position).T, sizes)
        steps = np.stack([auc[:, a, b] for a, b in adjacent], axis=1)
        values = {
            "spearman": weighted_pearson(weights, by_position.ranks(weights), by_grade.ranks(weights)),
            "kendall_tau_b": _ratio(ordered, np.sqrt(graded * placed)),
            "somers_d": _ratio(ordered, graded),
        }
        values["jonckheere_terpstra_z"] = trend_z(ordered, sizes, ties)
        values |= variance_shares(weights, position, centroid, sizes)
        values |= {f"adjacent_auc_{classes[a]}_{classes[b]}": steps[:, a] for a, b in adjacent}
        values["adjacent_auc_min"] = steps.min(axis=1)  # NaN where one step is
        values |= {f"centroid_position_{value}": centroid[:, index] for index, value in enumerate(classes)}
        present_centroids = centroid[:, present]
        inversions = np.full(len(weights), np.nan)
        if len(present) > 1:
            a, b = np.triu_indices(len(present), k=1)
            complete = np.isfinite(present_centroids).all(axis=1)
            inversions[complete] = (present_centroids[complete][:, b] <= present_centroids[complete][:, a]).sum(axis=1)
        values["centroid_inversions"] = inversions
        values["centroid_order"] = np.where(np.isnan(inversions), np.nan, inversions == 0)
        return values

    return MeasureFamily(compute, undefined)
