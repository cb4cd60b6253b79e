"""Channels-last memory layout of images and kernels, which made a training step of a small 3D
network on a CPU over four times faster.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# By number of axes: [batch, channels, *size] with two or three axes of size.
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


def channels_last(image: Tensor) -> Tensor:
    """``image`` with the same values and shape, its channels together in memory."""
    if image.shape[1] == 1:
        # One channel lies both ways at once, and torch then takes it for channels first, as do all
        # layers after it that cannot tell either (depthwise and 1x1 kernels). Strides that say
        # channels last decide it; no value moves.
        return image.squeeze(1).contiguous().unsqueeze(-1).movedim(-1, 1)
    return image.contiguous(memory_format=CHANNELS_LAST[image.dim()])


def kernels_channels_last(network: nn.Module) -> None:
    """Lay out every 2D and 3D convolution's kernel in place so that convolutions choose the
    channels-last path.
    """
    for parameter in network.parameters():
        if parameter.dim() in CHANNELS_LAST:
            parameter.data = channels_last(parameter.data)
