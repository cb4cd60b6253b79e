"""All metrics of one model over the same resamples: subjects are drawn once, and each seed's calls
are counted once.

A metric of predicted classes is a function of the confusion matrix, and a resample's matrix is the
sum of its subjects' matrices: one product of how often subjects were drawn with what each of them
adds. Counts are whole numbers, so the values are those of drawing cases to the last bit, for all
metrics and any mean over seeds in one pass.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kneeoa.statistics.bootstrap import interval_of, paired_of, resampled_counts, resampled_weights
from kneeoa.statistics.influence_functions import Estimate, PairedDifference
from kneeoa.statistics.inputs import Floats, Integers, cluster_codes, subject_count
from kneeoa.statistics.kernels import FROM_CONFUSION, kernel_of, metric


class Resampled:
    """S seeds of a model on n cases in R resamples of their subjects; metrics are means over the
    seeds.

    Args:
        truth: class of each case, ``[n]``.
        probabilities: ``[S, n, K]``.
        calls: predicted class of each case by each seed, ``[S, n]``: metrics of predicted classes
            take these.
        cluster: subject of each case, ``[n]``, or None.
        resamples: number drawn, R.
        seed: of the random generator; the same seed and subjects give the same resamples for every
            model.
    """

    def __init__(
        self, truth: Integers, probabilities: Floats, calls: Integers, cluster: ArrayLike | None, resamples: int, seed: int
    ) -> None:
        """Keep the arguments; nothing is drawn before it is asked for."""
        self._truth, self._probabilities, self._calls, self._cluster = truth, probabilities, calls, cluster
        self._resamples, self._seed = resamples, seed
        self._seeds: Sequence[int] = range(len(probabilities))
        self._tables: list[Floats] = []  # once counted: [R + 1, K, K] of each seed, the last row of the cases themselves
        self._values: dict[str, list[Floats]] = {}  # metric -> [R + 1] of each seed, likewise

    def of_seeds(self, places: Sequence[int]) -> Self:
        """Return the resamples of some of the seeds, by their places; what has been computed serves
        both."""
        fewer = copy.copy(self)
        fewer._seeds = tuple(places)
        return fewer

    def interval(self, name: str, confidence: float) -> Estimate:
        """The metric called ``name`` and its percentile interval."""
        values = self._mean(name)
        return interval_of(float(values[-1]), values[:-1], self._truth.size, self._subjects(), confidence)

    def against(self, other: Resampled, name: str, confidence: float) -> PairedDifference:
        """The metric's difference from another model on the same cases in the same resamples, with
        percentile interval and p.
        """
        values, other_values = self._mean(name), other._mean(name)
        return paired_of(
            (float(values[-1]), float(other_values[-1])), values[:-1] - other_values[:-1], self._truth.size, self._subjects(), confidence
        )

    def _subjects(self) -> int:
        return subject_count(cluster_codes(self._cluster, self._truth.size), self._truth.size)

    def _mean(self, name: str) -> Floats:
        if name not in self._values:
            self._values[name] = self._computed(name)
        members = [self._values[name][place] for place in self._seeds]
        return np.asarray(sum(members) / len(members))

    def _computed(self, name: str) -> list[Floats]:
        if name in FROM_CONFUSION:
            if not self._tables:
                self._tables += self._counted()  # in place: copies for fewer seeds share it
            return [FROM_CONFUSION[name](tables) for tables in self._tables]
        single, seeds = metric(name), range(len(self._probabilities))
        drawn: Iterator[NDArray[Any]]
        if kernel_of(name).ranked:
            drawn = self._by_case()
        else:
            drawn = resampled_weights(self._truth.size, self._cluster, self._resamples, self._seed)
        once = np.ones((1, self._truth.size))
        blocks = [[single(self._truth, self._probabilities[seed], weights) for seed in seeds] for weights in itertools.chain(drawn, [once])]
        return [np.concatenate([block[seed] for block in blocks]) for seed in seeds]

    def _by_case(self) -> Iterator[NDArray[Any]]:
        """Weights as AUCs are quickest with: a case's side by side, in single precision."""
        codes = cluster_codes(self._cluster, self._truth.size)
        for counts in resampled_counts(self._truth.size, self._cluster, self._resamples, self._seed):
            by_subject = np.ascontiguousarray(counts.T, dtype=np.float32)
            yield (by_subject if codes is None else by_subject[codes]).T

    def _counted(self) -> list[Floats]:
        classes, cases = self._probabilities.shape[2], self._truth.size
        codes = cluster_codes(self._cluster, cases)
        codes = np.arange(cases) if codes is None else codes
        added = [_added(self._truth * classes + calls, codes, classes * classes) for calls in self._calls]
        parts: list[list[Floats]] = [[] for _ in added]
        drawn = resampled_counts(cases, self._cluster, self._resamples, self._seed)
        for counts in itertools.chain(drawn, [np.ones((1, len(added[0])))]):
            for cells, part in zip(added, parts, strict=True):
                part.append(counts @ cells)
        return [np.concatenate(part).reshape(-1, classes, classes) for part in parts]


def _added(cells: Integers, codes: Integers, count: int) -> Floats:
    """Return what each subject adds to each cell of the confusion matrix, ``[subjects, count]``."""
    subjects = int(codes.max()) + 1
    return np.bincount(codes * count + cells, minlength=subjects * count).reshape(subjects, count).astype(np.float64)
