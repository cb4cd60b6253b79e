from __future__ import annotations

import logging

import pytest
import torch

from kneeoa.errors import KneeoaError
from kneeoa.training.micro_batches import split_cases, with_smaller_batches


@pytest.mark.parametrize(
    ("cases", "size", "lengths"), [(8, 8, [8]), (8, 4, [4, 4]), (5, 4, [2, 3]), (9, 4, [3, 3, 3]), (3, 1, [1, 1, 1]), (2, 7, [2])]
)
def test_parts_are_few_whole_and_nearly_equal(cases, size, lengths):
    slices = split_cases(cases, size)
    assert [part.stop - part.start for part in slices] == lengths
    assert [number for part in slices for number in range(cases)[part]] == list(range(cases))


def test_half_as_many_until_they_fit(caplog):
    tried = []

    def attempt(size):
        tried.append(size)
        if size > 2:
            raise torch.OutOfMemoryError
        return "done"

    with caplog.at_level(logging.WARNING):
        assert with_smaller_batches(attempt, 9) == ("done", 2)
    assert tried == [9, 5, 3, 2]
    assert "2 cases at a time" in caplog.text


def test_not_even_one_is_an_error():
    def attempt(size):
        raise torch.OutOfMemoryError

    with pytest.raises(KneeoaError, match="recompute"):
        with_smaller_batches(attempt, 2)


def test_other_errors_pass():
    def attempt(size):
        raise RuntimeError("another")

    with pytest.raises(RuntimeError, match="another"):
        with_smaller_batches(attempt, 4)
