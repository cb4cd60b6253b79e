import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import Ridge

from kneeoa.geometry import supervised_directions
from kneeoa.geometry.supervised_directions import CentredSvd, lda_directions, ridge_coefficients, ridge_directions


@pytest.mark.parametrize(("cases", "width"), [(80, 6), (60, 200)])
def test_lda_is_fishers_first_discriminant_with_ledoit_and_wolfs_covariance(cases: int, width: int) -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 5, cases)
    values = rng.normal(size=(cases, width)) + np.outer(label, rng.normal(size=width)) * 0.3
    values -= values.mean(axis=0)
    spectrum = CentredSvd.of(values)
    direction = lda_directions(spectrum, label[None], 5)[0] @ spectrum.rows
    means = np.stack([values[label == k].mean(axis=0) for k in range(5)])
    within, _ = ledoit_wolf(values - means[label], assume_centered=True)
    between = (means * np.bincount(label)[:, None]).T @ means
    _, vectors = np.linalg.eig(np.linalg.solve(within, between))
    squares = [abs(np.real(vectors[:, index]) @ direction) for index in range(width)]
    first = int(np.argmax([np.real(v @ between @ v / (v @ within @ v)) for v in np.real(vectors).T[:8]]))
    assert squares[first] == pytest.approx(1, abs=1e-6)


def test_the_left_out_error_of_ridge_is_that_of_refits(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(40, 60))
    subjects = np.r_[np.repeat(np.arange(10), 2), np.arange(10, 30)].astype(str)
    target = values[:, 0] + rng.normal(size=40)
    spectrum = CentredSvd.of(values)
    penalties = supervised_directions._PENALTIES * (spectrum.singular**2).mean()

    def refit(penalty: float) -> float:
        error = 0.0
        for name in np.unique(subjects):
            out = subjects == name
            # The penalised directions stay those of all training cases; only the intercept and
            # coefficients are refitted.
            model = Ridge(alpha=penalty).fit(values[~out], target[~out])
            error += float(((target[out] - model.predict(values[out])) ** 2).sum())
        return error

    best = penalties[int(np.argmin([refit(penalty) for penalty in penalties]))]
    expected = Ridge(alpha=best).fit(values, target).coef_
    coefficients = ridge_coefficients(spectrum, target[None], subjects)[0] @ spectrum.rows
    np.testing.assert_allclose(coefficients, expected, atol=1e-8)


def test_many_labellings_at_once_are_each_one_alone() -> None:
    rng = np.random.default_rng(2)
    spectrum = CentredSvd.of(rng.normal(size=(30, 50)))
    labels = rng.integers(0, 3, (4, 30))
    subjects = np.arange(30).astype(str)
    for together, alone in (
        (lda_directions(spectrum, labels, 3), [lda_directions(spectrum, row[None], 3)[0] for row in labels]),
        (ridge_directions(spectrum, labels * 1.0, subjects), [ridge_directions(spectrum, row[None] * 1.0, subjects)[0] for row in labels]),
    ):
        np.testing.assert_allclose(together, np.stack(alone), atol=1e-10)
