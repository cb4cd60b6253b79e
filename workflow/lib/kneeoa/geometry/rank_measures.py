"""Rank measures of how a position orders the grades, and its trend over them, for many rows of
bootstrap weights at once.

Weights are whole numbers of copies; a case drawn twice is tied with itself, as in an explicit
resample. Every measure equals scipy's on the repeated table (``spearmanr``, ``kendalltau`` tau-b,
``somersd(grade, position)``).

``linear_r2``: a line that rises with the grade; ``isotonic_r2``: any means that do not fall;
``eta2``: any means. Each allows more than the one before, so 0 <= linear <= isotonic <= eta2 <= 1.
The axis is signed on training cases and not turned round: where it falls on held-out cases, the
linear and the isotonic share are 0. Grades are not an interval scale: the linear share is
descriptive.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats, MeasureFamily

_ONE_VALUE = "all cases share one value"


def trend_z(ordered: Floats, sizes: Floats, ties: Floats) -> Floats:
    """Return Jonckheere and Terpstra's z, corrected for ties on both sides: Kendall's asymptotic
    one (scipy's ``kendalltau`` gives its p).

    Args:
        ordered: pairs of different grades in order minus those out of order, ``[resamples]``.
        sizes: cases of each grade, ``[resamples, grades]``.
        ties: cases of each position, ``[resamples, positions]``.
    """
    cases = sizes.sum(axis=1)
    pairs = cases * (cases - 1)
    first = [(groups * (groups - 1)).sum(axis=1) for groups in (sizes, ties)]
    second = [(groups * (groups - 1) * (groups - 2)).sum(axis=1) for groups in (sizes, ties)]
    third = [(groups * (groups - 1) * (2 * groups + 5)).sum(axis=1) for groups in (sizes, ties)]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (pairs * (2 * cases + 5) - third[0] - third[1]) / 18
        variance = variance + first[0] * first[1] / (2 * pairs) + second[0] * second[1] / (9 * pairs * (cases - 2))
        z: Floats = np.where(variance > 0, ordered / np.sqrt(variance), np.nan)
    return z


def variance_shares(weights: Floats, position: Floats, centroid: Floats, sizes: Floats) -> dict[str, Floats]:
    """Return ``linear_r2``, ``isotonic_r2``, ``eta2`` and ``adjacent_d_min`` of each resample;
    undefined without two grades.

    Args:
        weights: ``[resamples, cases]``.
        position: ``[cases]``.
        centroid: mean position of each grade, ``[resamples, grades]``, NaN where it has no case.
        sizes: cases of each grade, ``[resamples, grades]``; grades count in equal steps.
    """
    total = np.maximum(sizes.sum(axis=1), 1)
    middle = weights @ position / total
    variance = weights @ position**2 / total - middle**2
    floor = np.finfo(np.float32).eps ** 2 * (weights @ position**2) / total
    defined = ((sizes > 0).sum(axis=1) > 1) & (variance > floor)
    deviations = np.where(sizes > 0, centroid - middle[:, None], 0.0)
    grade = np.arange(sizes.shape[1], dtype=np.float64)
    from_mean = grade - (sizes @ grade / total)[:, None]
    covariance = (sizes * from_mean * deviations).sum(axis=1) / total
    spread = (sizes * from_mean**2).sum(axis=1) / total
    between = (sizes * deviations**2).sum(axis=1) / total
    steep = np.divide(np.maximum(covariance, 0.0) ** 2, spread, out=np.zeros(len(weights)), where=spread > 0)
    rising = (sizes * _rising(deviations, sizes) ** 2).sum(axis=1) / total

    def over(top: Floats, bottom: Floats, where: NDArray[np.bool_]) -> Floats:
        share: Floats = np.divide(top, bottom, out=np.full(len(weights), np.nan), where=where)
        return share

    within = np.sqrt(np.maximum(variance - between, 0.0))
    least = np.diff(centroid, axis=1).min(axis=1, initial=np.inf) if sizes.shape[1] > 1 else np.full(len(weights), np.nan)
    return {
        # The minimum of each share and those that contain it, which may differ in the last digit.
        "linear_r2": over(np.minimum(steep, np.minimum(rising, between)), variance, defined),
        "isotonic_r2": over(np.minimum(rising, between), variance, defined),
        "eta2": over(between, variance, defined),
        "adjacent_d_min": over(least, within, defined & (within > np.sqrt(floor))),
    }


def _rising(values: Floats, sizes: Floats) -> Floats:
    """Weighted isotonic regression of each row (grades are few: the max-min formula of Robertson,
    Wright and Dykstra 1988, chapter 1).
    """
    grades = values.shape[1]
    sums = np.cumsum(np.pad(values * sizes, ((0, 0), (1, 0))), axis=1)
    counts = np.cumsum(np.pad(sizes, ((0, 0), (1, 0))), axis=1)
    result = np.zeros_like(values)
    for k in range(grades):
        least = np.full((len(values), k + 1), -np.inf)
        for first in range(k + 1):
            top, bottom = sums[:, k + 1 :] - sums[:, [first]], counts[:, k + 1 :] - counts[:, [first]]
            means = np.divide(top, bottom, out=np.full_like(top, np.inf), where=bottom > 0)
            least[:, first] = means.min(axis=1)
        fitted = least.max(axis=1)
        result[:, k] = np.where(sizes[:, k] > 0, fitted, 0.0)
    return result


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
    ``eta2`` (:mod:`kneeoa.geometry.rank_measures`), ``centroid_inversions`` (pairs of grades whose
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
