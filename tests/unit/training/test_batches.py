from __future__ import annotations

import numpy as np
import pytest

from kneeoa.training.batches import evaluation_batches, training_batches


@pytest.mark.parametrize(
    ("cases", "size", "sizes"),
    [(8, 4, [4, 4]), (10, 4, [4, 4, 2]), (9, 4, [4, 5]), (5, 4, [5]), (3, 8, [3]), (3, 1, [1, 1, 1]), (1, 4, [1])],
)
def test_every_case_once_and_no_last_batch_of_one(cases, size, sizes):
    batches = training_batches(cases, size, seed=1, epoch=1)
    assert [len(batch) for batch in batches] == sizes
    assert sorted(np.concatenate(batches)) == list(range(cases))


def test_the_order_follows_seed_and_epoch():
    def order(seed, epoch):
        return tuple(np.concatenate(training_batches(50, 8, seed, epoch)))

    assert order(1, 1) == order(1, 1)
    assert len({order(1, 1), order(1, 2), order(2, 1), tuple(range(50))}) == 4


def test_evaluation_keeps_the_order():
    assert [list(batch) for batch in evaluation_batches(5, 2)] == [[0, 1], [2, 3], [4]]
    assert evaluation_batches(0, 2) == []
