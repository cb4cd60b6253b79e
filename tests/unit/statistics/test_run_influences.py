"""Brier scores against scikit-learn, the paired test against the bootstrap of subjects, symmetries
and edges.

Contradictions between heads by hand, heads derived from each other, paired tests and clusters.

Average precision, calibration error, kappa and predictive values: values of scikit-learn, and
influences that are derivatives by the weight of a case.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, cohen_kappa_score

from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_probabilities
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.confusion import sampled_metric
from kneeoa.statistics.influence_functions import PairedDifference, difference_of
from kneeoa.statistics.inputs import cluster_codes
from kneeoa.statistics.kernels import KERNELS, metric
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.reliability import sampled_error
from kneeoa.statistics.run_influences import contradictions, sampled_precision
from tests.unit.statistics.by_kernels import difference, estimate, sampled
from tests.unit.statistics.references import expected_calibration_error


def cases(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (np.arange(n) % 3 == 0).astype(int)
    a, b = (1 / (1 + np.exp(-(skill * (truth - 0.5) + rng.normal(size=n)))) for skill in (2.0, 1.2))
    return truth, a, b


def test_values_are_the_references() -> None:
    truth, a, _ = cases(0)
    score = brier_score_loss(truth, a)
    assert estimate("brier", truth, a).estimate == pytest.approx(score, abs=1e-15)
    assert estimate("scaled_brier", truth, a).estimate == pytest.approx(1 - score / (truth.mean() * (1 - truth.mean())), abs=1e-14)
    assert estimate("scaled_brier", truth, np.full(120, truth.mean())).estimate == pytest.approx(0, abs=1e-14)
    assert estimate("scaled_brier", truth, truth).estimate == 1.0


@pytest.mark.parametrize("scaled", [False, True])
def test_the_bootstrap_agrees(scaled: bool) -> None:
    truth, a, b = cases(1)
    cluster = np.arange(120) // 2
    name = "scaled_brier" if scaled else "brier"
    result = difference(name, truth, a, b, cluster)
    table = [np.column_stack([1 - p, p]) for p in (a, b)]
    boot = paired_bootstrap(metric(name), truth, *table, cluster, resamples=3000)
    assert result.difference == pytest.approx(boot.difference, abs=1e-14)
    assert (result.low, result.high) == pytest.approx((boot.low, boot.high), abs=0.1 * (result.high - result.low))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_symmetries(seed: int, scaled: bool) -> None:
    truth, a, b = cases(seed, 60)
    cluster = np.arange(60) // 2
    name = "scaled_brier" if scaled else "brier"
    base, swapped = difference(name, truth, a, b, cluster), difference(name, truth, b, a, cluster)
    assert (swapped.difference, swapped.z, swapped.p) == (-base.difference, -base.z, base.p)
    assert difference(name, truth, a, b, np.arange(60)) == difference(name, truth, a, b)
    twice = difference(name, np.tile(truth, 2), np.tile(a, 2), np.tile(b, 2), np.tile(cluster, 2))
    assert twice.variance == pytest.approx(base.variance, rel=1e-10)
    mirrored = difference(name, 1 - truth, 1 - a, 1 - b, cluster)
    assert (mirrored.difference, mirrored.variance) == pytest.approx((base.difference, base.variance), rel=1e-9)
    same = difference(name, truth, np.stack([a, b]), np.stack([b, a]), cluster)
    assert (same.difference, same.z, same.p, same.degenerate) == (0.0, 0.0, 1.0, True)


def test_edges() -> None:
    assert math.isnan(estimate("scaled_brier", np.zeros(4), np.full(4, 0.2)).estimate)
    assert estimate("brier", np.zeros(4), np.full(4, 0.2)).degenerate


PARENTS = (0, 0, 1, 1, 1)


def heads(seed: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(2), size=n), rng.dirichlet(np.ones(5), size=n)


def paired(
    name: str,
    first: tuple[np.ndarray, np.ndarray],
    second: tuple[np.ndarray, np.ndarray],
    cluster: object = None,
    parents: object = PARENTS,
) -> PairedDifference:
    """The test of two networks' (coarse head, fine head)."""
    truth = np.zeros(len(first[0]))
    a, b = (sampled(name, truth, coarse, fine=fine, parents=parents) for coarse, fine in (first, second))
    return difference_of(a, b, cluster_codes(cluster, truth.size), 0.95, name)


def test_by_hand() -> None:
    fine = np.array([[0.5, 0.1, 0.2, 0.1, 0.1], [0.0, 0.4, 0.3, 0.3, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0]])
    coarse = np.array([[0.6, 0.4], [0.4, 0.6], [1.0, 0.0]])
    calls, masses = contradictions(coarse, fine, PARENTS)
    # The second case: the coarse head follows the summed mass, the fine arg max (grade 1) still
    # belongs to class 0.
    assert calls.tolist() == [0.0, 1.0, 1.0]
    assert masses == pytest.approx([0.0, 0.0, 1.0])
    nothing = np.zeros(3)  # neither measure needs the truth
    assert estimate("contradiction", nothing, coarse, fine=fine, parents=PARENTS).estimate == pytest.approx(2 / 3)
    assert estimate("contradiction_mass", nothing, coarse, fine=fine, parents=PARENTS).estimate == pytest.approx(1 / 3)


def test_a_derived_head_moves_no_mass() -> None:
    _, fine = heads(0)
    assert contradictions(derive_probabilities(fine, PARENTS, 2), fine, PARENTS)[1] == pytest.approx(0.0, abs=1e-15)
    sharp = np.eye(5)[np.random.default_rng(1).integers(0, 5, size=40)]
    assert not contradictions(derive_probabilities(sharp, PARENTS, 2), sharp, PARENTS)[0].any()


def test_paired_difference() -> None:
    (first, fine_a), (second, fine_b) = heads(2), heads(3)
    cluster = np.arange(80) // 2
    for place, name in enumerate(("contradiction", "contradiction_mass")):
        test = paired(name, (first, fine_a), (second, fine_b), cluster)
        each = [contradictions(coarse, fine, PARENTS)[place] for coarse, fine in ((first, fine_a), (second, fine_b))]
        assert test.difference == pytest.approx(each[0].mean() - each[1].mean())
        gaps = np.bincount(cluster, weights=each[0] - each[1])
        assert test.variance == pytest.approx(gaps.var(ddof=1) * 40 / 80**2)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_symmetries_of_contradictions(seed: int) -> None:
    (coarse, fine), (other, another) = heads(seed), heads(seed + 1)
    order = [1, 0, 4, 2, 3]
    for name in ("contradiction", "contradiction_mass"):
        one, two = paired(name, (coarse, fine), (other, another)), paired(name, (other, another), (coarse, fine))
        three = paired(name, (coarse, fine[:, order]), (other, another[:, order]), parents=[PARENTS[i] for i in order])
        assert (two.difference, two.variance) == (-one.difference, one.variance)
        assert (three.difference, three.variance) == pytest.approx((one.difference, one.variance), abs=1e-14)
        same = paired(name, (coarse, fine), (coarse, fine))
        assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_bad_input_is_refused() -> None:
    coarse, fine = heads(4)
    with pytest.raises(KneeoaError, match="same seeds and cases"):
        contradictions(coarse[:-1], fine, PARENTS)
    with pytest.raises(KneeoaError, match="fine classes"):
        contradictions(coarse, fine, (0, 1))
    with pytest.raises((KneeoaError, ValueError), match="finite"):
        contradictions(np.where(coarse > 0.5, np.nan, coarse), fine, PARENTS)


STEP = 1e-6


@pytest.fixture
def case() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = (rng.random(90) < 0.3).astype(int)
    return truth, np.round(np.clip(0.35 * truth + 0.6 * rng.random(90), 0, 1), 1)


def derivatives(value, count: int) -> np.ndarray:
    start = value(np.ones(count))
    return np.array([(value(np.ones(count) + STEP * (np.arange(count) == place)) - start) / STEP for place in range(count)])


def test_average_precision_is_scikit_learns_with_ties(case) -> None:
    truth, scores = case
    result = sampled_precision(truth == 1, scores)
    assert result.value == pytest.approx(average_precision_score(truth, scores), abs=1e-15)
    expected = derivatives(lambda weights: average_precision_score(truth, scores, sample_weight=weights), 90)
    assert result.influence == pytest.approx(expected, abs=1e-6)
    assert sampled_precision(truth == 1, np.full(90, 0.5)).value == pytest.approx(truth.mean())
    assert np.isnan(sampled_precision(np.ones(5, dtype=bool), np.arange(5.0)).value)


@pytest.mark.parametrize("kind", ["fixed", "equal_count"])
def test_calibration_error_by_fixed_and_by_equal_bins(case, kind) -> None:
    truth, scores = case[0], 0.98 * case[1] + 0.013  # no bin's gap is zero
    result = sampled_error(truth, scores, kind)
    assert result.value == pytest.approx(expected_calibration_error(truth, scores, kind=kind))
    assert result.influence.sum() == pytest.approx(0, abs=1e-12)
    if kind == "fixed":
        bins = np.minimum(np.floor(scores * 10), 9)

        def value(weights):
            gaps = [abs((weights * (truth - scores))[bins == one].sum()) for one in range(10)]
            return sum(gaps) / weights.sum()

        assert result.value == pytest.approx(value(np.ones(90)))
        assert result.influence == pytest.approx(derivatives(value, 90), abs=1e-6)


def test_a_calibrated_bin_adds_nothing() -> None:
    truth, scores = np.array([0, 1, 0, 1]), np.array([0.5, 0.5, 0.25, 0.75])
    result = sampled_error(truth, scores, "fixed")
    assert result.value == pytest.approx(0.125)
    assert result.influence[:2] == pytest.approx(-0.125 / 4)


def test_kappa_is_scikit_learns(case) -> None:
    rng = np.random.default_rng(4)
    truth, called = rng.integers(0, 3, 90), rng.integers(0, 3, 90)
    result = sampled_metric("kappa", truth, called, 3)
    assert result.value == pytest.approx(cohen_kappa_score(truth, called))
    expected = derivatives(lambda weights: cohen_kappa_score(truth, called, sample_weight=weights), 90)
    assert result.influence == pytest.approx(expected, abs=1e-6)
    assert metric("kappa")(truth, np.eye(3)[called], np.ones((2, 90))) == pytest.approx([result.value] * 2)


@pytest.mark.parametrize(
    ("name", "members"), [("ppv", (None, 1)), ("npv", (None, 0)), ("sensitivity", (1, None)), ("specificity", (0, None))]
)
def test_predictive_values_are_shares_of_what_is_called(case, name, members) -> None:
    truth, scores = case
    calls = (scores >= 0.5).astype(int)
    run = Run(truth, np.stack([1 - scores, scores], axis=1), calls)
    counted = truth == members[0] if members[0] is not None else calls == members[1]
    result = KERNELS[name].influence(run)
    assert result.value == pytest.approx(np.mean((truth == calls)[counted]))

    def value(weights):
        return (weights * (truth == calls))[counted].sum() / weights[counted].sum()

    assert result.influence == pytest.approx(derivatives(value, 90), abs=1e-6)


def test_nothing_called_is_undefined() -> None:
    run = Run(np.array([0, 1, 1]), np.full((3, 2), 0.5), np.zeros(3, dtype=int))
    assert np.isnan(KERNELS["ppv"].influence(run).value)
    assert KERNELS["npv"].influence(run).value == pytest.approx(1 / 3)
    assert KERNELS["prevalence"].influence(run).value == pytest.approx(2 / 3)
