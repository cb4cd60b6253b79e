from __future__ import annotations

import math

import pytest
import torch

from kneeoa.network.keyed_random import derive_keys, normal, uniform

KEYS = torch.tensor([7, 2**62 + 12345, 42])
MASK = (1 << 64) - 1


def splitmix(state: int, count: int) -> list[int]:
    """The published generator in Python's integers."""
    words = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        words.append(z ^ (z >> 31))
    return words


def test_numbers_are_those_of_the_published_generator():
    assert splitmix(1234567, 2) == [6457827717110365317, 3203168211198807973]  # the well-known first words of this seed
    drawn = uniform(KEYS, 20).double()
    for key, row in zip(KEYS.tolist(), drawn, strict=True):
        words = splitmix(key, 10)
        expected = [((word >> 41) + 0.5) / 2**23 for word in words] + [(((word >> 18) & (2**23 - 1)) + 0.5) / 2**23 for word in words]
        assert row.tolist() == expected


def test_a_case_draws_the_same_in_any_company_and_number():
    whole = normal(KEYS, 1001)
    assert torch.equal(whole[1:2], normal(KEYS[1:2], 1001))
    assert torch.equal(whole.flip(0), normal(KEYS.flip(0), 1001))
    assert not torch.equal(whole[0], whole[1])


@pytest.mark.parametrize("number", [0, 1, 1000])
def test_mixed_keys_are_streams_of_their_own(number):
    assert len({*KEYS.tolist(), *derive_keys(KEYS, number).tolist(), *derive_keys(KEYS, number + 1).tolist()}) == 9


def test_distributions():
    flat, bell = uniform(KEYS, 100_000), normal(KEYS, 100_000)
    assert 0 < float(flat.min()) < 1e-4 < 1 - 1e-4 < float(flat.max()) < 1
    deciles = torch.histc(flat, 10, 0, 1) / flat.numel()
    assert deciles.tolist() == pytest.approx([0.1] * 10, abs=0.003)
    assert bell.mean(dim=1).tolist() == pytest.approx([0] * 3, abs=0.02)
    assert bell.std(dim=1).tolist() == pytest.approx([1] * 3, abs=0.01)
    below = (bell < 1).double().mean()
    assert float(below) == pytest.approx(0.5 * (1 + math.erf(1 / math.sqrt(2))), abs=0.003)
    assert abs(float(torch.corrcoef(bell)[0, 1])) < 0.02
