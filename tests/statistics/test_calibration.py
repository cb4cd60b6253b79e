"""Calibration of the tests themselves: how often a true null is rejected at 5 %, and how often a 95
% interval holds the truth.

2,000 simulated studies a row; a rate's Monte Carlo error is about 0.5 %. `pytest -s` prints the
table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from kneeoa.statistics import metrics
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.delong import auc_interval, delong_test
from kneeoa.statistics.mcnemar import mcnemar_test
from kneeoa.statistics.mean_auc import ovr_auc_test
from tests.statistics.simulated import Study, binary, calls, graded

pytestmark = pytest.mark.slow

SIMULATIONS = 2000
RESAMPLES = 499
SUBJECTS = (150, 1000)
REJECTED = (0.035, 0.065)
COVERED = (0.93, 0.97)
Outcomes = dict[str, bool]


@dataclass(frozen=True)
class Row:
    """One rate of the printed table."""

    what: str
    subjects: int
    clustered: bool
    rate: float

    def __str__(self) -> str:
        error = np.sqrt(self.rate * (1 - self.rate) / SIMULATIONS)
        return f"{self.what:<34} {self.subjects:>8} {'yes' if self.clustered else 'no':>9} {self.rate:>8.2%} {error:>7.2%}"


@pytest.fixture(scope="module")
def table() -> Iterator[list[Row]]:
    rows: list[Row] = []
    yield rows
    print(f"\n{'':<34} {'subjects':>8} {'clustered':>9} {'rate':>8} {'error':>7}", *rows, sep="\n")


def rates(
    table: list[Row], subjects: int, clustered: bool, seed: int, judge: Callable[[np.random.Generator], Outcomes]
) -> dict[str, float]:
    """Share of the simulations in which each outcome of ``judge`` holds, also written to the
    table.
    """
    generators = np.random.default_rng([seed, subjects, clustered]).spawn(SIMULATIONS)
    outcomes = [judge(generator) for generator in generators]
    shares = {name: float(np.mean([one[name] for one in outcomes])) for name in outcomes[0]}
    table.extend(Row(name, subjects, clustered, rate) for name, rate in shares.items())
    return shares


def inside(band: tuple[float, float], rate: float) -> bool:
    return band[0] <= rate <= band[1]


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("subjects", SUBJECTS)
def test_delong_rejects_a_true_null_at_its_level(table: list[Row], subjects: int, clustered: bool) -> None:
    def judge(rng: np.random.Generator) -> Outcomes:
        one = binary(rng, subjects, clustered, auc=0.8)
        ignored = {"DeLong rejects, subjects ignored": delong_test(one.truth, one.a, one.b).p < 0.05} if clustered else {}
        return {"DeLong rejects": delong_test(one.truth, one.a, one.b, one.cluster).p < 0.05, **ignored}

    shares = rates(table, subjects, clustered, 1, judge)
    assert inside(REJECTED, shares["DeLong rejects"])
    assert shares.get("DeLong rejects, subjects ignored", 1.0) > REJECTED[1]


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("subjects", SUBJECTS)
def test_one_vs_rest_rejects_a_true_null_at_its_level(table: list[Row], subjects: int, clustered: bool) -> None:
    def judge(rng: np.random.Generator) -> Outcomes:
        one = graded(rng, subjects, clustered)
        return {"macro one-vs-rest rejects": ovr_auc_test(one.truth, one.a, one.b, cluster=one.cluster).p < 0.05}

    assert inside(REJECTED, rates(table, subjects, clustered, 2, judge)["macro one-vs-rest rejects"])


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("subjects", SUBJECTS)
def test_mcnemar_rejects_a_true_null_at_its_level(table: list[Row], subjects: int, clustered: bool) -> None:
    def judge(rng: np.random.Generator) -> Outcomes:
        one = calls(rng, subjects, clustered)
        shares = mcnemar_test(one.a, one.b, one.cluster)
        if clustered:
            return {"clustered McNemar rejects": shares.p < 0.05}
        exact = mcnemar_test(one.a, one.b, method="exact")
        covered = shares.low <= 0 <= shares.high
        return {"McNemar mid-p rejects": shares.p < 0.05, "McNemar exact rejects": exact.p < 0.05, "accuracy difference covers": covered}

    shares = rates(table, subjects, clustered, 3, judge)
    assert inside(REJECTED, shares["clustered McNemar rejects" if clustered else "McNemar mid-p rejects"])
    assert shares.get("McNemar exact rejects", 0.0) <= 0.055
    assert inside(COVERED, shares.get("accuracy difference covers", 0.95))


@pytest.mark.parametrize("auc", [0.7, 0.85, 0.95])
@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("subjects", SUBJECTS)
def test_the_logit_interval_holds_the_true_auc(table: list[Row], subjects: int, clustered: bool, auc: float) -> None:
    def judge(rng: np.random.Generator) -> Outcomes:
        one = binary(rng, subjects, clustered, auc)
        intervals = {name: auc_interval(one.truth, one.a, one.cluster, method=name) for name in ("logit", "wald")}
        return {f"{name} interval covers AUC {auc}": interval.low <= auc <= interval.high for name, interval in intervals.items()}

    assert inside(COVERED, rates(table, subjects, clustered, round(100 * auc), judge)[f"logit interval covers AUC {auc}"])


@pytest.mark.parametrize("clustered", [False, True])
def test_the_paired_bootstrap_holds_the_true_difference(table: list[Row], clustered: bool) -> None:
    def judge(rng: np.random.Generator) -> Outcomes:
        one: Study = binary(rng, 150, clustered, auc=0.8)
        seed = int(rng.integers(2**31))
        shares = paired_bootstrap(metrics.auc, one.truth, one.a, one.b, one.cluster, resamples=RESAMPLES, seed=seed)
        return {"bootstrap rejects": shares.p < 0.05, "bootstrap interval covers": shares.low <= 0 <= shares.high}

    shares = rates(table, 150, clustered, 4, judge)
    assert inside(REJECTED, shares["bootstrap rejects"])
    assert inside(COVERED, shares["bootstrap interval covers"])
