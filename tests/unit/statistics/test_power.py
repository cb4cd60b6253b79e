"""Power and sample size: statsmodels' normal power, simulated McNemar tests, and the round trip
between them.
"""

import math

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower

from kneeoa.errors import KneeoaError
from kneeoa.statistics.delong import delong_test
from kneeoa.statistics.equivalence import equivalence, non_inferiority
from kneeoa.statistics.mcnemar import mcnemar_counts
from kneeoa.statistics.power import mcnemar_power, minimal_detectable_difference, normal_power, standard_error_at, subjects_needed


def test_equals_statsmodels_normal_power() -> None:
    reference = NormalIndPower(ddof=0).power(0.3, 50, 0.05, ratio=0)  # one sample, standard error 1/sqrt(50)
    assert normal_power(0.3, 1 / math.sqrt(50)).power == pytest.approx(reference, rel=1e-10)


def test_the_detectable_difference_has_the_power_asked_for() -> None:
    for power in (0.5, 0.8, 0.95):
        gap = minimal_detectable_difference(0.013, power)
        assert normal_power(gap, 0.013).power == pytest.approx(power, abs=1e-4)
        assert normal_power(-gap, 0.013).power == pytest.approx(power, abs=1e-4)
    assert minimal_detectable_difference(1.0) == pytest.approx(2.801585218)


@pytest.mark.parametrize(("goal", "test", "alpha"), [("non_inferiority", non_inferiority, 0.025), ("equivalence", equivalence, 0.05)])
def test_power_of_margins_is_simulated(goal: str, test, alpha: float) -> None:
    draws = np.random.default_rng(0).normal(0.005, 0.01, size=1200)
    share = np.mean([test(draw, 0.01, 0.03, alpha).established for draw in draws])
    assert normal_power(0.005, 0.01, 0.03, goal).power == pytest.approx(share, abs=0.035)


@pytest.mark.parametrize("goal", ["difference", "non_inferiority", "equivalence"])
def test_subjects_needed_are_the_fewest(goal: str) -> None:
    found = subjects_needed(0.02, 200, 0.01, 0.04, goal, power=0.9)
    assert found.power >= 0.9
    for count, enough in ((found.subjects, True), (found.subjects - 1, False)):
        assert (normal_power(0.01, standard_error_at(0.02, 200, count), 0.04, goal).power >= 0.9) == enough


def test_the_error_of_an_auc_difference_scales_with_n() -> None:
    rng = np.random.default_rng(1)

    def error(n: int) -> float:
        truth = np.arange(n) % 2
        common = rng.normal(size=n)
        a, b = (truth + common + 0.7 * rng.normal(size=n) for _ in range(2))
        return math.sqrt(delong_test(truth, a, b).variance)

    small, large = np.mean([error(200) for _ in range(40)]), np.mean([error(1800) for _ in range(10)])
    assert standard_error_at(small, 200, 1800) == pytest.approx(large, rel=0.05)


@pytest.mark.parametrize("method", ["midp", "exact"])
def test_mcnemar_by_enumeration_is_every_table(method: str) -> None:
    n, only_a, only_b = 14, 0.35, 0.1
    total = 0.0
    for b in range(n + 1):
        for c in range(n + 1 - b):
            chance = math.factorial(n) / math.factorial(b) / math.factorial(c) / math.factorial(n - b - c)
            chance *= only_a**b * only_b**c * (1 - only_a - only_b) ** (n - b - c)
            total += chance * (mcnemar_counts(b, c, method).p <= 0.05)
    assert mcnemar_power(n, only_a, only_b, method=method).power == pytest.approx(total, rel=1e-10)


def test_mcnemar_power_is_simulated_and_its_size_holds() -> None:
    rng = np.random.default_rng(2)
    draws = rng.multinomial(300, [0.15, 0.08, 0.77], size=1000)
    share = np.mean([mcnemar_counts(int(b), int(c), "midp").p <= 0.05 for b, c, _ in draws])
    exact = mcnemar_power(300, 0.15, 0.08)
    assert exact.power == pytest.approx(share, abs=0.04)
    assert mcnemar_power(300, 0.15, 0.08, method="normal").power == pytest.approx(exact.power, abs=0.02)
    assert mcnemar_power(300, 0.08, 0.15).power == pytest.approx(exact.power)
    assert mcnemar_power(300, 0.1, 0.1, method="exact").power <= 0.05
    assert 0.035 < mcnemar_power(300, 0.1, 0.1).power < 0.06
    assert mcnemar_power(10, 0.0, 0.0).power == 0.0
    assert mcnemar_power(2000, 0.05, 0.02).power > 0.99


def test_bad_input_is_refused() -> None:
    for call, word in (
        (lambda: minimal_detectable_difference(0.0), "standard_error"),
        (lambda: minimal_detectable_difference(0.1, 1.2), "power"),
        (lambda: standard_error_at(0.1, 0, 5), "subjects"),
        (lambda: normal_power(0.1, 0.1, goal="equivalence"), "margin"),
        (lambda: normal_power(0.1, 0.1, goal="superiority"), "goal"),
        (lambda: subjects_needed(0.1, 100, -0.05, 0.05), "no number of subjects"),
        (lambda: mcnemar_power(10, 0.7, 0.6), "at most 1"),
        (lambda: mcnemar_power(10, 0.1, 0.1, method="edwards"), "method"),
    ):
        with pytest.raises(KneeoaError, match=word):
            call()
