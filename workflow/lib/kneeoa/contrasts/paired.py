"""One paired test of one metric between these very networks: subjects are sampled, seeds averaged
and fixed.

A finding is left out of both arms' means where the metric has no value in a run of either.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import replace

import numpy as np

from kneeoa.config.metrics import CONSISTENCY_METRICS, FixedTest, metric_of_row, metrics_of
from kneeoa.config.statistics import APPLICABLE, Statistics
from kneeoa.contrasts.cases import LevelPredictions, places_in, runs_of, sampled_runs
from kneeoa.contrasts.metrics import resampled, undefined_note
from kneeoa.contrasts.multilabel import defined_findings, findings_note, mean_runs
from kneeoa.contrasts.outcome import Outcome, join, of_difference
from kneeoa.contrasts.small_samples import case_parts, rankings_of, with_few_subjects
from kneeoa.errors import KneeoaError
from kneeoa.statistics import metrics
from kneeoa.statistics.bootstrap import paired_of, resampled_weights
from kneeoa.statistics.influence_functions import PairedDifference, difference_of, over_seeds
from kneeoa.statistics.inputs import Floats, cluster_codes
from kneeoa.statistics.kernels import cut_in, kernel_of
from kneeoa.statistics.mcnemar import mcnemar_test
from kneeoa.statistics.mean_auc import mean_auc_test
from kneeoa.statistics.metric_kernel import Run


class MeanTests:
    """The tests of one candidate against one reference on the same cases of a multilabel level."""

    def __init__(self, candidate: LevelPredictions, reference: LevelPredictions, statistics: Statistics) -> None:
        self.sides = (candidate, reference)
        self.statistics = statistics

    def run(self, name: str, test: FixedTest, findings: list[int]) -> Outcome:
        """The outcome of ``test`` on the mean of the metric ``name`` over ``findings``, those of
        which it has a value (:func:`kneeoa.contrasts.multilabel.defined_findings`).

        DeLong's test adds the placements' influences of all findings (:mod:`
        kneeoa.statistics.mean_auc`); the bootstrap draws subjects, each with all its
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


class PairedTests:
    """The tests of one candidate against one reference on the same cases (see
    ``require_same_cases``).
    """

    def __init__(self, candidate: LevelPredictions, reference: LevelPredictions, statistics: Statistics) -> None:
        self.candidate = candidate
        self.reference = reference
        self.statistics = statistics
        # One bootstrap serves every metric's own test and the interval of McNemar's row; one delta
        # method all standard errors.
        self._draws = resampled(candidate, statistics), resampled(reference, statistics)
        self._delta = functools.cache(self._run_delta)
        self.parts = functools.cache(lambda name: case_parts(name, candidate, reference))

    def of_class(self, label: str) -> PairedTests:
        """The tests of one class against the rest, or of one finding."""
        return PairedTests(self.candidate.of_class(label), self.reference.of_class(label), self.statistics)

    def run(self, name: str, test: FixedTest) -> Outcome:
        """The outcome of ``test`` on the metric ``name`` (a row's name, e.g. cut_auc_2).

        Raises:
            KneeoaError: the test does not apply to the metric, or the metric to the level.
        """
        level, wanted = self.candidate.level, metric_of_row(name)
        allowed: tuple[str, ...] = (*metrics_of(level.kind), *CONSISTENCY_METRICS)
        if wanted not in allowed:
            raise KneeoaError(f"Metric '{wanted}' does not apply to the {level.kind} level '{level.name}'; use one of {list(allowed)}.")
        if wanted not in APPLICABLE[test]:
            raise KneeoaError(f"Test '{test}' does not apply to the metric '{wanted}'; it applies to {', '.join(APPLICABLE[test])}.")
        if self.candidate.findings:
            return self._over_findings(name, test)
        methods = {"bootstrap": self._by_bootstrap, "mcnemar": self._mcnemar, "delta": self._by_delta, "delong": self._delong}
        outcome = methods[test](name)
        if test != "mcnemar" and not math.isnan(outcome.difference):
            outcome = self._with_few(outcome, name, test, self.parts(name))
        return replace(
            outcome, note=join(undefined_note(self.candidate, name), self._headless(name), outcome.note, self._reason(name, outcome))
        )

    def _reason(self, name: str, outcome: Outcome) -> str:
        """Say why there is no p, or how the metric was computed where that needs words."""
        delta = self._delta(name)
        if outcome.degenerate and math.isnan(outcome.p):
            return "no test: the difference has no variance"
        if math.isnan(outcome.p) and not math.isnan(outcome.difference) and not delta.note:
            return "no test: too few subjects of a class for a variance" if delta.subjects > 1 else "no test: a single subject"
        return delta.note

    def _over_findings(self, name: str, test: FixedTest) -> Outcome:
        sides = (self.candidate, self.reference)
        findings = defined_findings(name, sides)
        outcome = MeanTests(*sides, self.statistics).run(name, test, findings)
        if test == "mcnemar" or not findings:
            return outcome
        return self._with_few(outcome, name, test, case_parts(name, *sides, findings))

    def _with_few(self, outcome: Outcome, name: str, test: FixedTest, parts: Floats) -> Outcome:
        return with_few_subjects(outcome, test, parts, self.candidate.subjects, rankings_of(name), self.statistics.confidence)

    def _by_bootstrap(self, name: str) -> Outcome:
        boot = self._bootstrap(name)
        return of_difference(replace(boot, variance=self._delta(name).variance), boot.note)

    def _by_delta(self, name: str) -> Outcome:
        return of_difference(self._delta(name), "")

    def _delong(self, name: str) -> Outcome:
        method = kernel_of(name).delong
        if method is None:
            raise KneeoaError(f"Metric '{metric_of_row(name)}' is declared to have DeLong's test, but its kernel has none.")
        truth, subjects, confidence = self.candidate.truth, self.candidate.subjects, self.statistics.confidence
        result = method.test(truth, self.candidate.probabilities, self.reference.probabilities, subjects, confidence, cut_in(name))
        return of_difference(result, result.method)

    def _mcnemar(self, name: str) -> Outcome:
        correct = [arm.calls == arm.truth for arm in (self.candidate, self.reference)]
        chosen, confidence = self.statistics.mcnemar, self.statistics.confidence
        result = mcnemar_test(correct[0], correct[1], self.candidate.subjects, chosen, confidence)
        note = f"{result.method}: {result.b:g} cases right by the candidate alone, {result.c:g} by the reference alone"
        low, high, remark = result.low, result.high, "score interval"
        if chosen == "edwards":  # paper A's rule, with the interval that it prints
            boot = self._bootstrap("accuracy")
            low, high = boot.low, boot.high
            remark = join("interval by bootstrap, which need not agree with p", boot.note)
        outcome = Outcome(
            estimate_reference=result.accuracy_b,
            estimate_candidate=result.accuracy_a,
            difference=result.difference,
            low=low,
            high=high,
            p=result.p,
            statistic=result.statistic,
            standard_error=self._error("accuracy"),
            degenerate=result.degenerate,
            note=join(note, remark),
        )
        if chosen != "chi2":
            return outcome
        return self._with_few(outcome, "accuracy", "mcnemar", self.parts("accuracy"))

    def _bootstrap(self, name: str) -> PairedDifference:
        candidate, reference = self._draws
        return candidate.against(reference, name, self.statistics.confidence)

    def _error(self, name: str) -> float:
        return math.sqrt(self._delta(name).variance)

    def _headless(self, name: str) -> str:
        lacking = [side.arm for side in (self.candidate, self.reference) if side.fine is None]
        if name not in CONSISTENCY_METRICS or not lacking:
            return ""
        return f"undefined: {' and '.join(lacking)} lack a head of their own for this level or the next finer one"

    def _run_delta(self, name: str) -> PairedDifference:
        codes = cluster_codes(self.candidate.subjects, self.candidate.truth.size)
        first, second = (over_seeds(sampled_runs(name, side)) for side in (self.candidate, self.reference))
        return difference_of(first, second, codes, self.statistics.confidence, "delta method")
