"""The sign permutation test against all signs, McNemar and its own interval; contributions under
exchange against exchanging.
"""

import itertools

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.statistics.case_exchange import exchanged
from kneeoa.statistics.inputs import cluster_codes
from kneeoa.statistics.kernels import KERNELS
from kneeoa.statistics.mcnemar import mcnemar_counts
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.metrics import predicted_class
from kneeoa.statistics.score_intervals import mean_interval, paired_interval, tango
from kneeoa.statistics.sign_permutation import effective_number, joint_sign_test, share_kept, sign_test


def by_hand(values: np.ndarray, mid: bool) -> float:
    sums = np.abs(np.array(list(itertools.product([1, -1], repeat=values.size))) @ values)
    observed = abs(values.sum())
    equal = np.abs(sums - observed) < 1e-9
    return 1.0 if observed < 1e-9 else float(((sums > observed) & ~equal).mean() + equal.mean() * (0.5 if mid else 1.0))


@pytest.mark.parametrize("mid", [True, False])
@pytest.mark.parametrize("size", [1, 4, 9, 15])
@pytest.mark.parametrize("whole", [True, False])
def test_p_is_that_of_all_signs(mid: bool, size: int, whole: bool) -> None:
    rng = np.random.default_rng([size, whole])
    for _ in range(5):
        values = rng.integers(1, 4, size=size) * rng.choice([-1.0, 1.0], size) if whole else rng.normal(0.2, 1, size)
        result = sign_test(values, mid=mid)
        assert result.p == pytest.approx(by_hand(values, mid), abs=1e-9 if whole or size <= 12 else 1.2e-2)
        assert result.z == pytest.approx(values.sum() / np.sqrt(values @ values))
        assert result.smallest_p == 2.0 ** (1 - size) * (0.5 if mid else 1)


@pytest.mark.parametrize(("b", "c"), [(1, 0), (5, 0), (3, 3), (9, 2), (40, 20), (300, 250)])
@pytest.mark.parametrize("method", ["midp", "exact"])
def test_right_and_wrong_of_single_cases_is_mcnemar(b: int, c: int, method: str) -> None:
    values = np.repeat([1.0, 0.0, -1.0], [b, 7, c])
    assert sign_test(values, mid=method == "midp").p == pytest.approx(mcnemar_counts(b, c, method).p, rel=1e-9)


def test_unit_and_order_do_not_matter_and_zeros_add_nothing() -> None:
    values = np.random.default_rng(3).normal(0.3, 1, 30)
    result = sign_test(values)
    for same in (values[::-1], values * 1e-7, np.append(values, [0.0, 0.0]), -values):
        assert sign_test(same).p == pytest.approx(result.p, abs=1e-9)
    assert sign_test(np.zeros(3)).degenerate
    assert sign_test(np.ones(60)).p <= 1e-12
    with pytest.raises(KneeoaError, match="confidence"):
        sign_test(values, 1.0)


@pytest.mark.parametrize("rankings", [0, 1, 2])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_an_interval_excludes_zero_where_p_is_below_the_level(confidence: float, rankings: int) -> None:
    rng = np.random.default_rng(round(100 * confidence))
    for _ in range(400):
        size = int(rng.integers(1, 30))
        parts = rng.choice([-1.0, 0.0, 1.0], size, p=[0.2, 0.5, 0.3]) if rng.random() < 0.5 else rng.normal(0.5, 1, size)
        codes = cluster_codes(rng.integers(0, size, size), size)
        sums = parts if codes is None else np.bincount(codes, weights=parts)
        if not sums.any():
            continue
        result = sign_test(sums, confidence, rankings=rankings)
        low, high = paired_interval(parts / size, sums / size, result.critical, effective_number(sums))
        assert (result.p < 1 - confidence) == (low > 0 or high < 0)
        assert low - 1e-9 < parts.mean() < high + 1e-9


@pytest.mark.parametrize("size", [8, 16])
def test_the_sum_of_ranks_is_compared_at_what_is_left_of_it_without_a_degree_of_freedom(size: int) -> None:
    rng = np.random.default_rng(size)
    for rankings in (1, 2):
        values = rng.normal(0.3, 1, size)
        sums = np.abs(np.array(list(itertools.product([1, -1], repeat=size))) @ values)
        beyond = (sums > abs(values.sum()) * np.sqrt((size - rankings) / size)).mean()
        result = sign_test(values, rankings=rankings)
        assert result.p == pytest.approx(beyond, abs=1.2e-2)
        assert result.p > sign_test(values).p
        assert result.z == sign_test(values).z
    equal = np.repeat([1.0, -1.0], [9, 2])  # one of few values stays that value
    assert sign_test(equal, rankings=1).p == sign_test(equal).p


def test_parts_of_an_auc_of_few_subjects_fall_short_of_the_difference_by_a_degree_of_freedom() -> None:
    rng, ratios = np.random.default_rng(0), []
    truth = np.repeat([0, 1], 8)
    for _ in range(2000):
        common = truth + rng.normal(size=16)
        runs = []
        for _ in range(2):
            positive = 1 / (1 + np.exp(-common - 0.7 * rng.normal(size=16)))
            probabilities = np.stack([1 - positive, positive], axis=1)
            runs.append(Run(truth, probabilities, predicted_class(probabilities)))
        parts = exchanged(KERNELS["auc"], [runs[0]], [runs[1]])
        if parts.any():
            ratios.append(parts.sum() ** 2 / (parts @ parts))
    assert np.mean(ratios) > 1.04
    assert np.mean(ratios) * share_kept(16, 1) ** 2 == pytest.approx(1, abs=0.07)


def test_tango_is_wilson_like_without_discordant_pairs_and_wald_with_many() -> None:
    z = 1.959963984540054
    assert tango(0, 0, 60, z) == pytest.approx((-(z**2) / (60 + z**2), z**2 / (60 + z**2)))
    low, high = tango(12, 2, 50, z)
    for limit in (low, high):  # the score equation, with the constrained estimate of the second's share by Tango's quadratic
        middle = -14 + (100 - 10) * limit
        share = (np.sqrt(middle**2 + 400 * 2 * limit * (1 - limit)) - middle) / 200
        assert abs(10 - 50 * limit) / np.sqrt(50 * (2 * share + limit * (1 - limit))) == pytest.approx(z)
    assert tango(2, 12, 50, z) == pytest.approx((-high, -low))
    assert tango(120, 20, 500, z)[0] == pytest.approx(0.2 - z * np.sqrt((140 - 100**2 / 500) / 500**2), abs=0.005)


def test_the_interval_of_a_sum_nears_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(0.1, 1, 5000)
    low, high = mean_interval(values / 5000, 1.96, effective_number(values))
    error = values.std() / np.sqrt(5000)
    assert (low, high) == pytest.approx((values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=5e-4)


def test_the_effective_number_is_that_of_those_who_dominate() -> None:
    assert effective_number(np.full(9, -2.0)) == pytest.approx(9)
    assert effective_number(np.append(np.full(3, 1.0), np.full(1000, 1e-3))) == pytest.approx(3, abs=0.01)
    assert effective_number(np.zeros(4)) == 0.0


def pair_of_runs(seed: int, classes: int) -> tuple[Run, Run]:
    rng = np.random.default_rng([seed, classes])
    truth = np.arange(40) % classes
    runs = []
    for _ in range(2):
        logits = 1.2 * (np.arange(classes) == truth[:, None]) + rng.normal(size=(40, classes))
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        runs.append(Run(truth, probabilities, predicted_class(probabilities), cut=1))
    return runs[0], runs[1]


EXACT = (
    "auc",
    "accuracy",
    "balanced_accuracy",
    "brier",
    "sensitivity",
    "specificity",
    "macro_auc",
    "mae",
    "within_one",
    "c_index",
    "cut_auc",
)


@pytest.mark.parametrize("name", [name for name in KERNELS if not name.startswith(("contradiction", "calibration_error"))])
def test_parts_add_up_to_the_difference_and_turn_when_models_do(name: str) -> None:
    classes = 5 if name in ("macro_auc", "within_one", "c_index", "cut_auc", "mae") else 2
    a, b = pair_of_runs(1, classes)
    kernel = KERNELS[name]
    parts = exchanged(kernel, [a], [b])
    assert exchanged(kernel, [b], [a]) == pytest.approx(-parts, abs=1e-12)
    difference = kernel.influence(a).value - kernel.influence(b).value
    close = 1e-12 if name in EXACT else 0.25 * abs(difference) + 0.02
    assert parts.sum() == pytest.approx(difference, abs=close)
    both = exchanged(kernel, [a, a], [b, b])
    assert both == pytest.approx(parts, abs=1e-9)


def test_exchanging_some_subjects_turns_their_parts() -> None:
    a, b = pair_of_runs(2, 5)
    parts = exchanged(KERNELS["balanced_accuracy"], [a], [b])
    chosen = np.arange(40) % 3 == 0
    calls = [np.where(chosen, other.calls, one.calls) for one, other in ((a, b), (b, a))]
    runs = [Run(a.truth, one.probabilities, call) for one, call in zip((a, b), calls, strict=True)]
    difference = KERNELS["balanced_accuracy"].influence(runs[0]).value - KERNELS["balanced_accuracy"].influence(runs[1]).value
    assert np.where(chosen, -parts, parts).sum() == pytest.approx(difference)


@pytest.mark.parametrize("subjects", [6, 9])
def test_several_sums_together_have_the_p_of_all_signs(subjects: int) -> None:
    values = np.random.default_rng(subjects).normal(0.5, 1, (2, subjects))
    spread = np.linalg.inv(values @ values.T)
    signs = np.array(list(itertools.product([1, -1], repeat=subjects)))
    forms = np.einsum("si,ij,sj->s", signs @ values.T, spread, signs @ values.T)
    joint = joint_sign_test(values)
    assert joint.statistic == pytest.approx(values.sum(axis=1) @ spread @ values.sum(axis=1))
    assert joint.p == pytest.approx((forms >= joint.statistic * (1 - 1e-9)).mean(), abs=0.02)
    assert (joint.df, joint.differing, joint.smallest_p) == (2, subjects, 2.0 ** (1 - subjects))


def test_of_one_sum_it_is_the_exact_test_and_equal_sums_count_once() -> None:
    values = np.random.default_rng(8).normal(0.4, 1, 11)
    single = joint_sign_test(values[None])
    assert single.p == pytest.approx(sign_test(values, mid=False).p, abs=0.015)
    twice = joint_sign_test(np.stack([values, values]))
    assert (twice.df, twice.statistic) == (1, pytest.approx(single.statistic))


@pytest.mark.parametrize("borne_by", [8, 60])
def test_a_difference_far_from_zero_keeps_the_width_of_its_variance(borne_by: int) -> None:
    """Most of the spread is a few subjects', the difference is all subjects': the interval is not
    that of the few alone.
    """
    rng = np.random.default_rng(4)
    values = np.full(60, 1.0) + rng.normal(0, 0.3, 60)
    values[:borne_by] += rng.permutation(np.repeat([4.0, -4.0], borne_by // 2))
    low, high = mean_interval(values, 1.96, effective_number(values))
    error = np.sqrt(60) * values.std(ddof=1)
    assert high - low >= 2 * 1.96 * error * 0.99
    assert (low > 0) == (values.sum() / np.sqrt(values @ values) > 1.96)
