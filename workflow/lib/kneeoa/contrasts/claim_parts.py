"""The parts of the claim: each a value for any weights of subjects and any seed, of a candidate and
a reference on the same cases.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.contrasts.cases import LevelPredictions, best_head, has_label, level_predictions, places_in, require_same_cases
from kneeoa.contrasts.multilabel import defined_findings, findings_note, level_findings
from kneeoa.contrasts.small_samples import case_parts, rankings_of
from kneeoa.errors import KneeoaError
from kneeoa.geometry.rank_measures import SortedValues, pearson_of_centred, weighted_centred
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.metrics import binary_auc, macro_auc

Seed = int | None
Parts = Callable[[Sequence[Seed]], Floats]
"""Seeds -> what each case adds to the difference of their means, ``[n]``."""
OfRun = Callable[[Floats], Floats]
"""Weights of the change's cases ``[R, n]`` -> values ``[R]`` of one run."""


@dataclass(frozen=True)
class Change:
    """One part of the claim. ``subjects`` holds that of each case; ``runs`` both arms' values by
    seed, the candidate's first.
    """

    part: str
    level: str
    measure: str
    of: str
    subjects: tuple[str, ...]
    runs: dict[Seed, tuple[OfRun, OfRun]]
    parts: Parts
    note: str = ""
    rankings: int = 0
    """Number of rankings behind ``parts`` (:mod:`kneeoa.statistics.sign_permutation`)."""

    @property
    def seeds(self) -> list[Seed]:
        """Seeds that both arms have."""
        return list(self.runs)

    def case_weights(self, weights: Floats, people: Sequence[str]) -> NDArray[Any]:
        """Weights of the change's cases ``[R, n]`` as its runs are quickest with, from those of
        ``people`` ``[R, U]`` (sorted names).
        """
        places = np.searchsorted(people, self.subjects)
        if self.part == "prediction":  # a case's side by side, in single precision: what AUCs take
            return np.ascontiguousarray(weights.T, dtype=np.float32)[places].T
        return np.take(weights, places, axis=1) if self.part == "axis" else weights[:, places]


class _RankedGrades:
    """The ranks of grades under the last weights, which are the same for all runs."""

    def __init__(self, grade: Floats) -> None:
        self._sorted = SortedValues(grade)
        self._last: tuple[Floats, tuple[Floats, Floats]] | None = None

    def under(self, weights: Floats) -> tuple[Floats, Floats]:
        """Centred ranks ``[R, n]`` and their spread ``[R]``."""
        if self._last is None or self._last[0] is not weights:
            self._last = (weights, weighted_centred(weights, self._sorted.ranks(weights)))
        return self._last[1]


@dataclass(frozen=True)
class Shared:
    """Results that the pairs of arms have in common, made once: an arm's predictions, and the
    function of each run.
    """

    sides: dict[Hashable, LevelPredictions | None] = field(default_factory=dict)
    runs: dict[Hashable, OfRun] = field(default_factory=dict)
    grades: dict[bytes, _RankedGrades] = field(default_factory=dict)


def prediction_changes(
    frame: pd.DataFrame, candidate: str, reference: str, cohort: str, levels: tuple[Level, ...], shared: Shared | None = None
) -> list[Change]:
    """A change of AUC for each level that both arms speak of, by a head of their own or derived: of
    a binary level the AUC, of a multilabel one its mean over findings, of another the macro AUC.

    Args:
        frame: PREDICTIONS of the test cases.
        candidate: an arm.
        reference: an arm.
        cohort: whose cases.
        levels: the hierarchy.
        shared: of all pairs that are asked for with the same ``frame`` and ``levels``.

    Raises:
        KneeoaError: cases that differ between the arms.
    """
    changes = []
    shared = shared or Shared()
    for level in levels:
        for arm in (candidate, reference):
            if (arm, cohort, level.name) not in shared.sides:
                shared.sides[arm, cohort, level.name] = _side(frame, arm, cohort, level, levels)
        sides = [side for arm in (candidate, reference) if (side := shared.sides[arm, cohort, level.name]) is not None]
        if len(sides) < 2:
            continue
        require_same_cases(sides[0], sides[1], "The claim")
        findings = defined_findings("auc", sides)
        if not level.exclusive and not findings:
            continue
        for side in sides:
            for seed in side.seeds:
                shared.runs.setdefault((side.arm, cohort, level.name, seed, *findings), _auc_of(side, seed, findings))
        both = [seed for seed in sides[0].seeds if seed in sides[1].seeds]
        of_arms = [{seed: shared.runs[side.arm, cohort, level.name, seed, *findings] for seed in both} for side in sides]
        runs = {seed: (of_arms[0][seed], of_arms[1][seed]) for seed in both}
        notes = [f"{side.arm}: level read from head '{side.head}'" for side in sides if side.head != level.name]
        notes += [findings_note(sides[0], findings)] if findings else []
        name = "auc" if level.binary or not level.exclusive else "macro_auc"
        subjects = tuple(sides[0].subjects.tolist())
        parts = _auc_parts(name, sides, findings)
        changes.append(Change("prediction", level.name, name, "", subjects, runs, parts, "; ".join(notes), rankings_of(name)))
    return changes


def _side(frame: pd.DataFrame, arm: str, cohort: str, level: Level, levels: tuple[Level, ...]) -> LevelPredictions | None:
    """An arm's predictions of a level by its best head; None without one, or without a label."""
    rows = frame[(frame["arm"] == arm) & (frame["cohort"] == cohort) & (frame["level"] == level.name)]
    rows = rows if has_label(rows).any() else rows.iloc[:0]
    head = best_head(set(rows["head"].unique()), level, levels)
    if head is None:
        return None
    read = level_predictions if level.exclusive else level_findings
    return read(rows[rows["head"] == head], arm, level, head)


def _auc_of(side: LevelPredictions, seed: Seed, findings: Sequence[int]) -> OfRun:
    """The AUC, macro AUC or mean AUC over ``findings`` of one run, for any weights of the cases."""
    place = side.seeds.index(seed)
    if side.findings:
        members = [side.findings[number] for number in findings]
        rows = [places_in(side, one.case_ids) for one in members]
        return lambda weights: np.mean(
            [binary_auc(one.truth, one.probabilities[place], weights[:, cases]) for one, cases in zip(members, rows, strict=True)], axis=0
        )
    metric = binary_auc if side.level.binary else macro_auc
    return lambda weights: metric(side.truth, side.probabilities[place], weights)


def _auc_parts(name: str, sides: Sequence[LevelPredictions], findings: Sequence[int]) -> Parts:
    return lambda seeds: case_parts(name, sides[0].of_seeds(seeds), sides[1].of_seeds(seeds), findings)


_ROWS = 64
"""Resamples whose ranks are taken at once: they stay in the processor's cache."""


def axis_change(
    rows: pd.DataFrame, candidate: str, reference: str, cohort: str, axis: str, level: str, shared: Shared | None = None
) -> list[Change]:
    """The change in Spearman's correlation of position and grade; none where an arm has no axis.

    Args:
        rows: AXIS of one axis and the test cases.
        candidate: an arm.
        reference: an arm.
        cohort: whose cases.
        axis: its name.
        level: the level of the grades.
        shared: of all pairs.
    """
    graded_rows = rows[rows["arm"].isin([candidate, reference]) & (rows["cohort"] == cohort) & rows["grade"].notna()]
    tables = [_table(graded_rows[graded_rows["arm"] == arm], "position") for arm in (candidate, reference)]
    if any(table.empty for table in tables):
        return []
    both, subjects = _together(tables, graded_rows, "axis")
    grade_of = graded_rows.drop_duplicates("case_id").set_index("case_id")["grade"].astype(np.float64)
    grade = np.asarray(grade_of.loc[both[0].index], dtype=np.float64)
    shared = shared or Shared()
    graded = shared.grades.setdefault(grade.tobytes(), _RankedGrades(grade))
    functions = shared.runs

    def run(position: Floats) -> OfRun:
        places = SortedValues(position)

        def spearman(weights: Floats) -> Floats:
            ranks, spread = graded.under(weights)
            parts = []
            for rows in (slice(start, start + _ROWS) for start in range(0, len(weights), _ROWS)):
                some = weights[rows]
                parts.append(pearson_of_centred(some, weighted_centred(some, places.ranks(some)), (ranks[rows], spread[rows])))
            return np.concatenate(parts)

        return functions.setdefault((position.tobytes(), grade.tobytes()), spearman)

    once = np.ones(len(both[0]))

    def standardised(values: Floats) -> Floats:
        away, spread = weighted_centred(once, values)
        scaled: Floats = away / np.sqrt(spread)
        return scaled

    def parts(seeds: Sequence[Seed]) -> Floats:
        # The influence of a case on a correlation of ranks, which have unit sums of squares.
        severity = standardised(SortedValues(grade).ranks(once))
        ranks = [[standardised(SortedValues(_values(table, seed)).ranks(once)) for seed in seeds] for table in both]
        middle = np.mean([rank @ severity for rank in (*ranks[0], *ranks[1])])
        first, second = (np.mean([rank * severity - middle / 2 * rank**2 for rank in arm], axis=0) for arm in ranks)
        added: Floats = first - second
        return added

    return [Change("axis", level, "spearman", axis, subjects, _runs(both, run), parts, rankings=1)]


def saliency_change(rows: pd.DataFrame, candidate: str, reference: str, cohort: str, tissue: str, measure: str) -> list[Change]:
    """The change in the mean over subjects of a measure of saliency (cases averaged within
    subjects); none where an arm has no value.

    Args:
        rows: OVERLAP of one tissue and measure.
        candidate: an arm.
        reference: an arm.
        cohort: whose cases.
        tissue: its name.
        measure: its name.
    """
    valued_rows = rows[(rows["cohort"] == cohort) & rows["value"].notna()]
    tables = [_table(valued_rows[valued_rows["arm"] == arm], "value").dropna() for arm in (candidate, reference)]
    if any(table.empty for table in tables):
        return []
    both, subjects = _together(tables, valued_rows, "saliency")
    _, code, size = np.unique(subjects, return_inverse=True, return_counts=True)
    per_case = 1.0 / size[code]  # a person's two knees weigh as one

    def run(value: Floats) -> OfRun:
        def mean(weights: Floats) -> Floats:
            total = (weights * per_case).sum(axis=1)
            return np.asarray(np.divide(weights @ (value * per_case), total, out=np.full(len(weights), np.nan), where=total > 0))

        return mean

    lost = valued_rows["case_id"].nunique() - len(both[0])
    note = f"{lost} cases without a value in every run of both arms left out" if lost else ""

    def parts(seeds: Sequence[Seed]) -> Floats:
        first, second = (np.mean([_values(table, seed) for seed in seeds], axis=0) for table in both)
        added: Floats = (first - second) * per_case / per_case.sum()
        return added

    return [Change("saliency", "", measure, tissue, subjects, _runs(both, run), parts, note)]


def _table(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Case by seed."""
    return rows.pivot(index="case_id", columns="seed", values=column)


def _values(table: pd.DataFrame, seed: Any) -> Floats:
    """Return the values of a seed, which is a column of the table."""
    values: Floats = table[seed].to_numpy(dtype=np.float64)
    return values


def _together(tables: list[pd.DataFrame], rows: pd.DataFrame, what: str) -> tuple[list[pd.DataFrame], tuple[str, ...]]:
    """Both arms' tables on the cases that both have, and the cases' subjects.

    Raises:
        KneeoaError: no case in common.
    """
    cases = tables[0].index.intersection(tables[1].index).sort_values()
    if cases.empty:
        raise KneeoaError(f"the claim's part '{what}': the two arms have no test case in common; make both again.")
    subject_of = rows.drop_duplicates("case_id").set_index("case_id")["subject"]
    return [table.loc[cases] for table in tables], tuple(subject_of.loc[cases].astype(str))


def _runs(tables: list[pd.DataFrame], run: Callable[[Floats], OfRun]) -> dict[Seed, tuple[OfRun, OfRun]]:
    first, second = tables
    return {int(seed): (run(_values(first, seed)), run(_values(second, seed))) for seed in first.columns if seed in second.columns}
