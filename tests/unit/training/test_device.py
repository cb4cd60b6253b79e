from __future__ import annotations

import pytest
import torch

from kneeoa.training.device import reproducible


def test_settings_hold_inside_and_are_put_back():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    threads = torch.get_num_threads()
    with reproducible(threads + 1):
        assert torch.get_num_threads() == threads + 1
        assert torch.are_deterministic_algorithms_enabled()
        torch.rand(1)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), before)


def test_settings_are_put_back_after_an_error():
    with pytest.raises(ValueError, match="inside"), reproducible(1):
        raise ValueError("inside")
    assert not torch.are_deterministic_algorithms_enabled()
