from __future__ import annotations

import pytest
import torch
from torch import nn

from kneeoa.network.memory import channels_last, kernels_channels_last


def test_channels_last_changes_the_layout_and_no_value():
    network = nn.ModuleList([nn.Conv3d(2, 4, 3), nn.Conv2d(2, 4, 3), nn.Linear(2, 2)])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kernels_channels_last(network)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert network[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("convolution", [nn.Conv2d, nn.Conv3d])
def test_layers_stay_channels_last_even_where_their_kernels_tell_nothing(convolution, channels):
    """An image of one channel, depthwise kernels and kernels of one voxel lie both ways at once."""
    network = nn.Sequential(convolution(channels, 16, 3), convolution(16, 16, 3, groups=16), convolution(16, 24, 1))
    kernels_channels_last(network)
    image = torch.randn(16, channels, *[8] * (network[0].weight.dim() - 2), requires_grad=True)
    laid = channels_last(image)
    assert torch.equal(laid, image)
    assert network(laid).stride(1) == 1
    network(laid).sum().backward()
    gradient, image.grad = image.grad, None
    network.to(memory_format=torch.contiguous_format)(image).sum().backward()
    assert torch.allclose(gradient, image.grad, rtol=1e-4, atol=1e-4)
