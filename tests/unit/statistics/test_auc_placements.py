"""Placements from one sort a model, the Gram rows behind every variance, and what they cost."""

import tracemalloc

import numpy as np
import pytest

from kneeoa.statistics import auc_placements
from kneeoa.statistics.auc_placements import gram_rows, placements, scale
from kneeoa.statistics.delong import auc_covariance, delong_test
from kneeoa.statistics.mean_auc import ovr_auc_test
from tests.unit.statistics.references import ovr_auc


def test_placements_are_counts_of_pairs() -> None:
    positive = np.array([True, False, True, False, False])
    scores = np.array([[2.0], [2.0], [5.0], [1.0], [7.0]])
    counts = placements(positive, scores)
    assert counts.twice.ravel().tolist() == [3, 3, 4, 4, 0]  # twice: 1.5 of 3 negatives; 1.5 of 2 positives; 2; 2; 0
    assert counts.auc[0] == pytest.approx(3.5 / 6)
    assert (counts.positives, counts.negatives) == (2, 3)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_memory_layout_and_negative_zero_do_not_matter(layout) -> None:
    rng = np.random.default_rng(0)
    scores, positive = np.round(rng.normal(size=(50, 3)), 1), rng.random(50) < 0.5
    base = placements(positive, scores)
    assert (placements(positive, layout(np.where(scores == 0, -0.0, scores))).twice == base.twice).all()


def test_influences_sum_to_zero_and_combine_linearly() -> None:
    rng = np.random.default_rng(1)
    placed = placements(rng.random(60) < 0.3, rng.normal(size=(60, 2)))
    estimates, influences = placed.combine(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]]))
    assert influences.sum(axis=0) == pytest.approx(0.0, abs=1e-14)
    assert estimates[:2] == pytest.approx(placed.auc)
    assert influences[:, 2] == pytest.approx(influences[:, 0] - influences[:, 1], abs=1e-15)


def test_rows_are_the_covariance_and_stay_with_their_subject() -> None:
    rng = np.random.default_rng(2)
    positive, scores, codes = rng.random(40) < 0.5, rng.normal(size=(40, 2)), np.arange(40) // 2
    _, influences = placements(positive, scores).combine(np.eye(2))
    scaled = scale(influences, positive, codes)
    assert scaled is not None
    rows = gram_rows(scaled, positive.astype(np.int64), codes)
    assert rows.shape == (20 + 2 * 20, 2)
    assert rows.T @ rows == pytest.approx(auc_covariance(positive.astype(int), scores, codes).covariance, rel=1e-12)


def test_too_few_subjects_of_a_class_have_no_scale() -> None:
    influences, positive = np.zeros((4, 1)), np.array([True, True, False, False])
    assert scale(influences, positive, None) is not None
    assert scale(influences, positive, np.array([0, 0, 1, 2])) is None


def test_a_model_is_sorted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sorts: list[int] = []
    argsort = np.argsort

    def counted(values: np.ndarray) -> np.ndarray:
        sorts.append(values.size)
        return argsort(values)

    monkeypatch.setattr(auc_placements.np, "argsort", counted)
    truth, scores = np.arange(30) % 2, np.random.default_rng(3).normal(size=(2, 30))
    delong_test(truth, *scores)
    assert sorts == [30, 30]


@pytest.mark.parametrize("clustered", [False, True])
def test_a_paired_test_needs_less_than_120_bytes_a_case(clustered: bool) -> None:
    n = 200_000
    truth, scores = np.arange(n) % 3 % 2, np.random.default_rng(4).normal(size=(2, n))
    cluster = np.arange(n) // 2 if clustered else None
    tracemalloc.start()
    try:
        delong_test(truth, *scores, cluster)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / n < 120


def test_clustered_one_vs_rest_agrees_with_leaving_out_subjects() -> None:
    rng = np.random.default_rng(5)
    subject = np.repeat(np.arange(150), rng.integers(1, 3, size=150))
    severity = rng.normal(size=150)[subject] + 0.4 * rng.normal(size=subject.size)
    truth = np.digitize(severity, [-0.6, 0.2, 1.0])
    a, b = (-((severity[:, None] + effect - np.linspace(-1, 1.4, 4)) ** 2) for effect in rng.normal(size=(2, 150, 1))[:, subject])
    result = ovr_auc_test(truth, a, b, cluster=subject)
    kept = [subject != name for name in range(150)]
    left_out = np.array([ovr_auc(truth[k], a[k]) - ovr_auc(truth[k], b[k]) for k in kept])
    assert result.variance == pytest.approx(149 / 150 * ((left_out - left_out.mean()) ** 2).sum(), rel=0.05)
    assert result.variance > 1.2 * ovr_auc_test(truth, a, b).variance
    assert (result.n, result.subjects) == (subject.size, 150)
