import numpy as np
import pytest
from scipy import stats

from kneeoa.anatomy.sanity import spearman, ssim


def test_spearman_is_scipys() -> None:
    first, second = np.round(np.random.default_rng(0).uniform(size=(2, 4, 5, 6)), 1)
    assert spearman(first, second) == pytest.approx(stats.spearmanr(first.ravel(), second.ravel()).statistic, abs=1e-12)
    assert np.isnan(spearman(np.ones((2, 2)), np.eye(2)))


def test_a_map_is_wholly_like_itself_at_any_scale_and_unlike_noise() -> None:
    first, second = np.random.default_rng(0).uniform(size=(2, 9, 10, 11))
    assert ssim(first, 3 * first) == pytest.approx(1)
    assert abs(ssim(first, second)) < 0.1 + ssim(first, 0.5 * first + 0.5 * second) < 1
    assert np.isnan(ssim(first, first * 0))


def test_one_window_by_hand() -> None:
    a, b = np.random.default_rng(1).uniform(size=(2, 7, 7))
    a, b = a / a.max(), b / b.max()
    c1, c2 = 1e-4, 9e-4
    covariance = np.cov(a.ravel(), b.ravel())
    luminance = (2 * a.mean() * b.mean() + c1) / (a.mean() ** 2 + b.mean() ** 2 + c1)
    structure = (2 * covariance[0, 1] + c2) / (covariance[0, 0] + covariance[1, 1] + c2)
    assert ssim(a, b) == pytest.approx(luminance * structure, abs=1e-12)
