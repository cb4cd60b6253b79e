"""Temperature by maximum likelihood: recovers what was planted, agrees with a logistic regression,
says when there is none.
"""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import softmax
from sklearn.metrics import log_loss

from kneeoa.errors import KneeoaError
from kneeoa.statistics.temperature import apply_temperature, fit_temperature
from tests.unit.statistics.references import log_probabilities


def cases(seed: int, n: int = 4000, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, classes))
    return np.array([rng.choice(classes, p=row) for row in softmax(logits, axis=1)]), logits


def test_a_planted_temperature_is_found() -> None:
    truth, logits = cases(0)
    fit = fit_temperature(truth, 2.5 * logits)
    assert fit.temperature == pytest.approx(2.5, rel=0.05)
    assert fit.loss_after < fit.loss_before
    assert fit.loss_before == pytest.approx(log_loss(truth, softmax(2.5 * logits, axis=1)))
    assert fit.loss_after == pytest.approx(log_loss(truth, apply_temperature(2.5 * logits, fit.temperature)))
    assert not fit.degenerate
    for nearby in (0.99, 1.01):
        assert log_loss(truth, apply_temperature(2.5 * logits, fit.temperature * nearby)) > fit.loss_after


def test_probabilities_and_binary_are_a_logistic_regression_without_intercept() -> None:
    truth, logits = cases(1, n=500, classes=2)
    probability = softmax(logits, axis=1)[:, 1]
    fitted = fit_temperature(truth, log_probabilities(probability))
    fit = sm.GLM(truth, np.log(probability / (1 - probability)), family=sm.families.Binomial()).fit(tol=1e-12)
    assert 1 / fitted.temperature == pytest.approx(fit.params[0], rel=1e-7)
    assert fitted.temperature == pytest.approx(fit_temperature(truth, logits).temperature, rel=1e-9)
    assert apply_temperature(log_probabilities(softmax(logits, axis=1)), 1.0) == pytest.approx(softmax(logits, axis=1))


def test_no_maximum_is_said() -> None:
    truth, _ = cases(2, n=50)
    perfect = fit_temperature(truth, np.eye(4)[truth])
    assert (perfect.temperature, perfect.degenerate) == (pytest.approx(1e-3), True)
    wrong = fit_temperature(truth, np.eye(4)[(truth + 1) % 4])
    assert (wrong.temperature, wrong.degenerate) == (pytest.approx(1e3), True)
    flat = fit_temperature(truth, np.zeros((50, 4)))
    assert (flat.temperature, flat.degenerate) == (1.0, True)


def test_bad_input_is_refused() -> None:
    with pytest.raises(KneeoaError, match="classes"):
        fit_temperature([0, 1], [0.1, 0.2])
    with pytest.raises(KneeoaError, match="temperature"):
        apply_temperature([[0.0, 1.0]], 0.0)
    with pytest.raises((KneeoaError, ValueError), match="rows"):
        fit_temperature([0], np.zeros((2, 2)))
