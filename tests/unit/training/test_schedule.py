from __future__ import annotations

import itertools

import pytest

from kneeoa.config.training import Training
from kneeoa.training.schedule import learning_rate_at


def test_cosine_rises_linearly_then_falls_to_nearly_nothing():
    training = Training(learning_rate=0.1, warmup=0.2)
    rates = [learning_rate_at(training, step, 50) for step in range(50)]
    assert rates[:10] == pytest.approx([0.01 * step for step in range(1, 11)])
    assert rates[10] == pytest.approx(0.1)
    assert rates[30] == pytest.approx(0.05)  # half-way down
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[10:]))
    assert 0 < rates[-1] < 0.001


def test_no_warm_up_begins_at_the_top_and_one_step_is_enough():
    assert learning_rate_at(Training(learning_rate=0.1, warmup=0), 0, 1) == pytest.approx(0.1)
    assert learning_rate_at(Training(learning_rate=0.1, warmup=0.9), 0, 1) == pytest.approx(0.1)


def test_constant_is_constant():
    training = Training(learning_rate=0.1, warmup=0.5, schedule="constant")
    assert {learning_rate_at(training, step, 10) for step in range(10)} == {0.1}
