from __future__ import annotations

import torch
from torch import nn

from kneeoa.network.memory import kernels_channels_last


def test_channels_last_changes_the_layout_and_no_value():
    network = nn.ModuleList([nn.Conv3d(2, 4, 3), nn.Conv2d(2, 4, 3), nn.Linear(2, 2)])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kernels_channels_last(network)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert network[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
