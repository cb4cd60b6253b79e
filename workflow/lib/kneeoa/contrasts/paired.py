"""One paired test of one metric: the numbers of a row of CONTRASTS. Differences are candidate - reference."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from kneeoa.config.analysis import BINARY_METRICS, CLASS_METRICS, Metric, Statistics, Test
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.metrics import invalid_note, undefined_note
from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import PairedBootstrap, paired_bootstrap
from kneeoa.statistics.delong import weighted_contrast
from kneeoa.statistics.mcnemar import mcnemar_test
from kneeoa.statistics.metrics import called, mean_over_seeds, metric
from kneeoa.statistics.multiclass import ovr_auc_test


@dataclass(frozen=True)
class Outcome:
    """Estimates, interval, p and what to say about them; NaN where undefined."""

    estimate_reference: float
    estimate_candidate: float
    difference: float
    low: float
    high: float
    p: float
    statistic: float
    degenerate: bool
    note: str


class PairedTests:
    """The tests of one candidate against one reference on the same cases (see ``require_same_cases``)."""

    def __init__(self, candidate: LevelPredictions, reference: LevelPredictions, statistics: Statistics) -> None:
        self.candidate = candidate
        self.reference = reference
        self.statistics = statistics
        # One bootstrap serves both the row of its own test and the interval of McNemar's row.
        self._bootstrap = functools.cache(self._run_bootstrap)

    def run(self, name: Metric, test: Test) -> Outcome:
        """The outcome of ``test`` on the metric ``name``; seeds are averaged and fixed, subjects are sampled.

        Raises:
            KneeoaError: the test does not apply to the metric, or the metric to the level.
        """
        level = self.candidate.level
        allowed = BINARY_METRICS if level.kind == "binary" else CLASS_METRICS
        if name not in allowed:
            raise KneeoaError(f"Metric '{name}' does not apply to the {level.kind} level '{level.name}'; use one of {list(allowed)}.")
        if test == "bootstrap":
            return self._by_bootstrap(name)
        if test == "delong" and name == "auc":
            return self._delong()
        if test == "delong" and name == "macro_auc":
            return self._ovr_delong()
        if test == "mcnemar" and name == "accuracy":
            return self._mcnemar()
        raise KneeoaError(f"Test '{test}' does not apply to the metric '{name}'; use bootstrap.")

    def _by_bootstrap(self, name: Metric) -> Outcome:
        boot = self._bootstrap(name)
        note = _join(undefined_note(self.candidate, name), invalid_note(boot.invalid, boot.resamples))
        return Outcome(boot.estimate_b, boot.estimate_a, boot.difference, boot.low, boot.high, boot.p, math.nan, boot.degenerate, note)

    def _delong(self) -> Outcome:
        first, second = self.candidate.probabilities[:, :, 1], self.reference.probabilities[:, :, 1]
        weights = np.concatenate([np.full(len(first), 1.0 / len(first)), np.full(len(second), -1.0 / len(second))])
        scores = np.concatenate([first, second]).T
        result = weighted_contrast(self.candidate.truth, scores, weights, self.candidate.subjects, self.statistics.confidence)
        auc = np.array(result.auc)
        return Outcome(
            float(auc[len(first) :].mean()),
            float(auc[: len(first)].mean()),
            result.estimate,
            result.low,
            result.high,
            result.p,
            result.z,
            result.degenerate,
            _join(undefined_note(self.candidate, "auc"), result.method),
        )

    def _ovr_delong(self) -> Outcome:
        result = ovr_auc_test(
            self.candidate.truth,
            self.candidate.probabilities,
            self.reference.probabilities,
            "macro",
            self.candidate.subjects,
            self.statistics.confidence,
        )
        return Outcome(
            result.estimate_b,
            result.estimate_a,
            result.difference,
            result.low,
            result.high,
            result.p,
            result.z,
            result.degenerate,
            _join(undefined_note(self.candidate, "macro_auc"), result.method),
        )

    def _mcnemar(self) -> Outcome:
        correct = [
            np.stack([called(seed, self.statistics.threshold) == arm.truth for seed in arm.probabilities])
            for arm in (self.candidate, self.reference)
        ]
        result = mcnemar_test(correct[0], correct[1], self.candidate.subjects, self.statistics.mcnemar)
        boot = self._bootstrap("accuracy")  # McNemar gives no interval of the difference
        note = f"{result.method}: {result.b:g} cases right by the candidate alone, {result.c:g} by the reference alone"
        return Outcome(
            result.accuracy_b,
            result.accuracy_a,
            result.difference,
            boot.low,
            boot.high,
            result.p,
            result.statistic,
            result.degenerate,
            _join(note, "interval by bootstrap", invalid_note(boot.invalid, boot.resamples)),
        )

    def _run_bootstrap(self, name: Metric) -> PairedBootstrap:
        return paired_bootstrap(
            mean_over_seeds(metric(name, self.statistics.threshold)),
            self.candidate.truth,
            self.candidate.probabilities,
            self.reference.probabilities,
            self.candidate.subjects,
            self.statistics.resamples,
            self.statistics.seed,
            self.statistics.confidence,
        )


def _join(*notes: str) -> str:
    return "; ".join(note for note in notes if note)
