"""One arm's predictions of one level as arrays, the same cases in the same order for every seed,
and every metric of each seed with the influence of each case on it, of which differences, seeds and
subgroups are made (:mod:`kneeoa.statistics.kernels`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.levels.registry import BINARY
from kneeoa.probabilities import first_bad_row
from kneeoa.statistics.influence_functions import Sampled
from kneeoa.statistics.inputs import cluster_codes, subject_count
from kneeoa.statistics.kernels import cut_in, kernel_of
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.metrics import predicted_class

_SHOWN = 10


@dataclass(frozen=True)
class LevelPredictions:
    """Predictions of S seeds on the n cases that have a label, sorted by case id."""

    arm: str
    level: Level
    head: str
    seeds: tuple[int | None, ...]  # None: an import or an ensemble
    case_ids: tuple[str, ...]
    subjects: NDArray[np.str_]  # [n]
    truth: NDArray[np.int64]  # [n]; of a multilabel level [n, findings], -1 where unread
    probabilities: NDArray[np.float64]  # [S, n, K]; of a multilabel level NaN where unread
    unread: int  # cases left out because they have no label
    thresholds: tuple[float, ...] = ()  # [S], of a binary level; none: 0.5
    threshold_note: str = ""
    fine: NDArray[np.float64] | None = None  # [S, n, K'], of the arm's own head of the next finer level
    parent_class: tuple[int, ...] = ()  # [K']
    rest_calls: NDArray[np.int64] | None = None  # [S, n], of one class against the rest: called so or not
    influences: dict[str, list[Sampled]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Results of :func:`sampled_runs` of each seed, by a row's name."""
    findings: tuple[LevelPredictions, ...] = ()  # of a multilabel level: each as a binary level, on the cases where it was read

    @functools.cached_property
    def calls(self) -> NDArray[np.int64]:
        """Predicted class of each case by each seed, ``[S, n]``; a binary level at the seed's own
        threshold.
        """
        if self.rest_calls is not None:
            return self.rest_calls
        thresholds = self.thresholds or (0.5,) * len(self.seeds)
        return np.stack([predicted_class(seed, threshold) for seed, threshold in zip(self.probabilities, thresholds, strict=True)])

    def of_cases(self, rows: NDArray[np.int64]) -> LevelPredictions:
        """Return the predictions of some of the cases, by their places."""
        return replace(
            self,
            case_ids=tuple(self.case_ids[row] for row in rows),
            subjects=self.subjects[rows],
            truth=self.truth[rows],
            probabilities=self.probabilities[:, rows],
            fine=None if self.fine is None else self.fine[:, rows],
            rest_calls=None if self.rest_calls is None else self.rest_calls[:, rows],
            findings=tuple(one.of_cases(places_in(one, [self.case_ids[row] for row in rows])) for one in self.findings),
        )

    def of_seeds(self, seeds: Sequence[int | None]) -> LevelPredictions:
        """Return the predictions of some of the seeds, in the order given, with the influences that
        have been computed.
        """
        if tuple(seeds) == self.seeds:
            return self
        places = [self.seeds.index(seed) for seed in seeds]
        fewer = replace(
            self,
            seeds=tuple(seeds),
            probabilities=self.probabilities[places],
            thresholds=tuple(self.thresholds[place] for place in places) if self.thresholds else (),
            fine=None if self.fine is None else self.fine[places],
            rest_calls=None if self.rest_calls is None else self.rest_calls[places],
            findings=tuple(one.of_seeds(seeds) for one in self.findings),
        )
        fewer.influences.update({name: [runs[place] for place in places] for name, runs in self.influences.items()})
        return fewer

    def of_class(self, name: str) -> LevelPredictions:
        """One class against the rest, or one finding of a multilabel level, as a binary level.

        The class's own column of probabilities ranks the cases; it is called where it is the
        predicted class of all.

        Raises:
            KneeoaError: the level has no such class.
        """
        if name not in self.level.classes:
            raise KneeoaError(f"Level '{self.level.name}' has no class '{name}'; its classes are {', '.join(self.level.classes)}.")
        number = self.level.classes.index(name)
        if self.findings:
            return self.findings[number]
        column = self.probabilities[:, :, number]
        return replace(
            self,
            level=binary_level(self.level, number),
            truth=(self.truth == number).astype(np.int64),
            probabilities=np.stack([1.0 - column, column], axis=2),
            rest_calls=(self.calls == number).astype(np.int64),
            thresholds=(),
            threshold_note="",
            fine=None,
            parent_class=(),
        )

    @functools.cached_property
    def absent_classes(self) -> list[str]:
        """Classes of which there is no case."""
        counts = np.bincount(self.truth, minlength=len(self.level.classes))
        return [self.level.classes[index] for index in np.flatnonzero(counts == 0)]

    @functools.cached_property
    def subject_count(self) -> int:
        """The number of people that the cases come from."""
        return subject_count(cluster_codes(self.subjects, self.subjects.size), self.subjects.size)


def level_predictions(rows: pd.DataFrame, arm: str, level: Level, head: str) -> LevelPredictions:
    """Arrays from the rows of one arm, cohort, split, level and head (all seeds).

    Raises:
        KneeoaError: a multilabel level, a repeated case, seeds that differ in cases or labels,
            probabilities that are not finite or do not fit the level's classes.
    """
    where = f"Predictions of arm '{arm}', level '{level.name}', head '{head}'"
    if not level.exclusive:
        raise KneeoaError(f"{where}: a multilabel level has no single class per case; take its findings one by one.")
    seeds = sorted({None if pd.isna(seed) else int(seed) for seed in rows["seed"].unique()}, key=lambda seed: (seed is not None, seed or 0))
    if None in seeds and len(seeds) > 1:
        raise KneeoaError(f"{where}: rows with and without a seed are mixed; give an ensemble an arm name of its own.")
    parts = []
    rows = rows[["seed", "case_id", "subject", "truth", "probabilities"]]
    for seed in seeds:
        part = rows if seed is None else rows[rows["seed"] == seed]
        repeated = part["case_id"].duplicated(keep=False)
        if repeated.any():
            raise KneeoaError(f"{where}: {listed(part.loc[repeated, 'case_id'])} occur more than once; one row per case is expected.")
        parts.append(part.sort_values("case_id", ignore_index=True))
    first = parts[0]
    truths = [_truth(part) for part in parts]
    for seed, part, truth in zip(seeds[1:], parts[1:], truths[1:], strict=True):
        if not (
            np.array_equal(truths[0], truth, equal_nan=True) and all(first[name].equals(part[name]) for name in ("case_id", "subject"))
        ):
            _require_equal(_keys(first), _keys(part), f"{where}: seeds {seeds[0]} and {seed}")
    read = ~np.isnan(truths[0])
    return LevelPredictions(
        arm=arm,
        level=level,
        head=head,
        seeds=tuple(seeds),
        case_ids=tuple(first["case_id"][read]),
        subjects=first["subject"][read].to_numpy(dtype=str),
        truth=truths[0][read].astype(np.int64),
        probabilities=np.stack([_probabilities(part, level, where) for part in parts])[:, read],
        unread=int((~read).sum()),
    )


def binary_level(level: Level, number: int) -> Level:
    """A class against the rest, or a finding that is there or not, as a level of the same name."""
    name = level.classes[number]
    return Level(name=level.name, kind=BINARY, classes=(f"not {name}", name))


def places_in(predictions: LevelPredictions, case_ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the places of the cases in ``predictions``, without those that it does not have."""
    places = {case: place for place, case in enumerate(predictions.case_ids)}
    return np.array([places[case] for case in case_ids if case in places], dtype=np.int64)


def require_same_cases(first: LevelPredictions, second: LevelPredictions, where: str) -> None:
    """A contrast is paired: both arms must have the same cases, subjects and labels.

    Raises:
        KneeoaError: names the cases that are missing or labelled differently.
    """
    keys = [dict(zip(arm.case_ids, zip(arm.subjects.tolist(), arm.truth.tolist(), strict=True), strict=True)) for arm in (first, second)]
    _require_equal(keys[0], keys[1], f"{where}: arms '{first.arm}' and '{second.arm}'")


def best_head(heads: set[str], level: Level, levels: tuple[Level, ...]) -> str | None:
    """The level's own head where there is one, else the nearest finer head that it was derived
    from; None without either.
    """
    finer = levels[levels.index(level) :]  # levels run from coarse to fine
    return next((other.name for other in finer if other.name in heads), None)


def listed(cases: Any) -> str:
    """The first cases of a collection, in order, and how many there are: for messages."""
    names = sorted(set(cases))
    return f"{len(names)} cases ({', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''})"


def stacked(column: pd.Series) -> NDArray[np.float64]:
    """The entries of a column of lists of one length, ``[n, K]``."""
    lists = column.to_list()
    return np.concatenate(lists).astype(np.float64, copy=False).reshape(len(lists), -1)


def has_label(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each row has a label, or that of any finding. A cohort that is labelled at coarser
    levels alone has rows of the finer ones, and no label there.
    """
    return np.fromiter((any(not pd.isna(entry) for entry in label) for label in rows["truth"]), dtype=np.bool_, count=len(rows))


def _truth(part: pd.DataFrame) -> NDArray[np.float64]:
    """The label of each case, ``[n]``; NaN where it has none."""
    return np.array([labels[0] for labels in part["truth"]], dtype=np.float64)  # None becomes NaN


def _keys(part: pd.DataFrame) -> dict[str, tuple[Any, ...]]:
    truth = [tuple(None if pd.isna(value) else int(value) for value in labels) for labels in part["truth"]]
    return dict(zip(part["case_id"], zip(part["subject"], truth, strict=True), strict=True))


def _require_equal(first: dict[str, tuple[Any, ...]], second: dict[str, tuple[Any, ...]], where: str) -> None:
    missing = first.keys() ^ second.keys()
    if missing:
        raise KneeoaError(
            f"{where} do not have the same cases: {listed(missing)} are in one of them only. Predict the same cases with both."
        )
    different = [case for case, value in first.items() if second[case] != value]
    if different:
        raise KneeoaError(f"{where} disagree on the label or subject of {listed(different)}; use one cohort table for both.")


def _probabilities(part: pd.DataFrame, level: Level, where: str) -> NDArray[np.float64]:
    count = len(level.classes)
    wrong = pd.Series([len(entries) != count for entries in part["probabilities"]], index=part.index)
    if wrong.any():
        raise KneeoaError(f"{where}: {listed(part.loc[wrong, 'case_id'])} do not have {count} probabilities, one per class.")
    values = stacked(part["probabilities"])
    infinite = pd.Series(~np.isfinite(values).all(axis=1), index=part.index)
    if infinite.any():
        raise KneeoaError(f"{where}: {listed(part.loc[infinite, 'case_id'])} have probabilities that are not finite; did training diverge?")
    bad = first_bad_row(values)
    if bad is not None:
        raise KneeoaError(
            f"{where}: the probabilities of case '{part['case_id'].iloc[bad]}' sum to {values[bad].sum():.7g}, which rounding of the table "
            "does not explain; they must sum to 1. Predict or import them again."
        )
    return values


def runs_of(name: str, predictions: LevelPredictions) -> list[Run]:
    """Return what each seed predicts, as the metric of a row's name (e.g. cut_auc_2) takes it."""
    calls = predictions.calls
    thresholds = predictions.thresholds or (0.5,) * len(predictions.seeds)
    return [
        Run(
            predictions.truth,
            predictions.probabilities[place],
            calls[place],
            cut_in(name),
            thresholds[place],
            None if predictions.fine is None else predictions.fine[place],
            predictions.parent_class,
        )
        for place in range(len(predictions.seeds))
    ]


def sampled_runs(name: str, predictions: LevelPredictions) -> list[Sampled]:
    """The metric called ``name`` (a row's name, e.g. cut_auc_2) of every seed, computed once.

    A consistency metric of an arm without a head of its own for both levels is undefined (NaN).
    """
    if name not in predictions.influences:
        kernel = kernel_of(name)
        predictions.influences[name] = [kernel.influence(run) for run in runs_of(name, predictions)]
    return predictions.influences[name]
