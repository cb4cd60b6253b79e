from __future__ import annotations

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.training.seeding import Purpose, derive_seed, generator


def test_streams_repeat_and_differ_by_seed_purpose_and_place():
    places = [(seed, purpose, epoch) for seed in (0, 1) for purpose in Purpose for epoch in (1, 2)]
    draws = {place: tuple(generator(*place).integers(0, 2**62, 4)) for place in places}
    assert len(set(draws.values())) == len(places)
    assert len({derive_seed(*place) for place in places}) == len(places)
    assert all(tuple(generator(*place).integers(0, 2**62, 4)) == drawn for place, drawn in draws.items())


def test_streams_are_the_children_of_numpys_seed_sequence():
    child = np.random.SeedSequence(7).spawn(2)[Purpose.ORDER]
    assert np.array_equal(generator(7, Purpose.ORDER).random(3), np.random.default_rng(child).random(3))


def test_a_negative_seed_is_refused():
    with pytest.raises(KneeoaError, match="-1"):
        derive_seed(-1, Purpose.WEIGHTS)
