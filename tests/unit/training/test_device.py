from __future__ import annotations

import pytest
import torch
from torch import nn

from kneeoa.training.device import arrange, reproducible


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


def test_arranging_changes_the_layout_and_no_value():
    network = nn.ModuleList([nn.Conv3d(2, 4, 3), nn.Conv2d(2, 4, 3), nn.Linear(2, 2)])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    arrange(network, torch.device("cpu"))
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert network[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
