"""Paired tests of the mean of a metric over the findings of a multilabel level; subjects are
sampled, seeds averaged and fixed.

A finding is left out of both arms' means where the metric has no value in a run of either.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from kneeoa.config.metrics import FixedTest
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.cases import LevelPredictions, places_in
from kneeoa.contrasts.influence_metrics import runs_of
from kneeoa.contrasts.multilabel import findings_note, mean_runs
from kneeoa.contrasts.outcome import Outcome, join, of_difference
from kneeoa.statistics import metrics
from kneeoa.statistics.bootstrap import paired_of, resampled_weights
from kneeoa.statistics.influence_functions import PairedDifference, difference_of, over_seeds
from kneeoa.statistics.inputs import Floats, cluster_codes
from kneeoa.statistics.kernels import kernel_of
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.multilabel_auc import mean_auc_test


class MeanTests:
    """The tests of one candidate against one reference on the same cases of a multilabel level."""

    def __init__(self, candidate: LevelPredictions, reference: LevelPredictions, statistics: Statistics) -> None:
        self.sides = (candidate, reference)
        self.statistics = statistics

    def run(self, name: str, test: FixedTest, findings: list[int]) -> Outcome:
        """The outcome of ``test`` on the mean of the metric ``name`` over ``findings``, those of
        which it has a value (:func:`kneeoa.contrasts.multilabel.defined_findings`).

        DeLong's test adds the placements' influences of all findings (:mod:`
        kneeoa.statistics.multilabel_auc`); the bootstrap draws subjects, each with all its
        findings. McNemar's test counts cases that are right or wrong, so it is one of a finding and
        not of a mean.
        """
        note = findings_note(self.sides[0], findings)
        delta = self._delta(name, findings)
        if not findings:
            return of_difference(delta, join(note, delta.method))
        if test == "delong":
            delong = self._delong(findings)
            return of_difference(delong, join(note, delong.method))
        if test == "bootstrap":
            return self._bootstrap(name, findings, delta, note)
        if test == "mcnemar":
            reason = "McNemar's test is of one finding: the tests delta and bootstrap are of the mean"
            return of_difference(delta, join(note, reason), tested=False)
        return of_difference(delta, join(note, delta.method))

    def _delta(self, name: str, findings: list[int]) -> PairedDifference:
        candidate = self.sides[0]
        codes = cluster_codes(candidate.subjects, len(candidate.case_ids))
        first, second = (over_seeds(mean_runs(name, side, findings)) for side in self.sides)
        return difference_of(first, second, codes, self.statistics.confidence, "delta method")

    def _delong(self, findings: list[int]) -> PairedDifference:
        candidate = self.sides[0]
        parts = [[side.findings[number] for side in self.sides] for number in findings]
        return mean_auc_test(
            [places_in(candidate, first.case_ids) for first, _ in parts],
            [first.truth for first, _ in parts],
            [first.probabilities[:, :, 1] for first, _ in parts],
            [second.probabilities[:, :, 1] for _, second in parts],
            candidate.subjects,
            self.statistics.confidence,
        )

    def _bootstrap(self, name: str, findings: list[int], delta: PairedDifference, note: str) -> Outcome:
        first, second = (self._draws(name, side, findings) for side in self.sides)
        boot = paired_of(
            (float(first[-1]), float(second[-1])), first[:-1] - second[:-1], delta.n, delta.subjects, self.statistics.confidence
        )
        return of_difference(replace(boot, variance=delta.variance), join(note, boot.note))

    def _draws(self, name: str, side: LevelPredictions, findings: list[int]) -> Floats:
        """The mean over findings and seeds in every resample of subjects, then in the cases
        themselves, ``[resamples + 1]``.
        """
        count, members = len(side.case_ids), [side.findings[number] for number in findings]
        rows = [places_in(side, one.case_ids) for one in members]
        runs = [runs_of(name, one) for one in members]
        drawn = resampled_weights(count, side.subjects, self.statistics.resamples, self.statistics.seed)
        blocks = []
        for weights in itertools.chain(drawn, [np.ones((1, count))]):
            values = [_weighted(name, run, weights[:, places]) for places, seeds in zip(rows, runs, strict=True) for run in seeds]
            blocks.append(np.mean(values, axis=0))
        return np.concatenate(blocks)


def _weighted(name: str, run: Run, weights: Floats) -> Floats:
    kernel = kernel_of(name)
    if kernel.of_tables is not None:
        return kernel.of_tables(metrics.confusions(run.truth, run.calls, 2, weights))
    assert kernel.weighted is not None
    return kernel.weighted(run.truth, run.probabilities, weights)
