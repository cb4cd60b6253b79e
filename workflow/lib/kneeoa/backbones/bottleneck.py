"""The bottleneck block of deeper ResNets (He et al. 2016, fig. 5), its stride in the convolution of
kernel 3, in two or three dimensions.

Public weights (torchvision's, timm's) belong to this placement of the stride ("v1.5"); the paper
has it in the first convolution.
"""

from __future__ import annotations

from types import EllipsisType

from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.residual import CONVOLUTION, NORM

EXPANSION = 4
"""Channels of a block's output, as a multiple of those of its middle."""


class Bottleneck(nn.Module):
    """Convolutions of kernel 1, 3 and 1 with batch norm, added to the input (projected by a
    kernel-1 convolution where width or size changes).
    """

    def __init__(self, dimensions: int, width_in: int, width: int, stride: int = 1) -> None:
        super().__init__()
        convolution, norm = CONVOLUTION[dimensions], NORM[dimensions]
        self.first = convolution(width_in, width, 1, bias=False)
        self.first_norm = norm(width)
        self.second = convolution(width, width, 3, stride=stride, padding=1, bias=False)
        self.second_norm = norm(width)
        self.third = convolution(width, EXPANSION * width, 1, bias=False)
        self.third_norm = norm(EXPANSION * width)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or width_in != EXPANSION * width:
            self.shortcut = nn.Sequential(convolution(width_in, EXPANSION * width, 1, bias=False), norm(EXPANSION * width))
        # By slicing, as in the basic block: oneDNN's strided kernel-1 convolution is not safe.
        self.kept: tuple[EllipsisType | slice, ...] = (..., *(slice(None, None, stride),) * dimensions)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, width_in, *size]`` to ``[batch, 4 * width, *ceil(size / stride)]``."""
        y = functional.relu(self.first_norm(self.first(x)))
        y = functional.relu(self.second_norm(self.second(y)))
        return functional.relu(self.third_norm(self.third(y)) + self.shortcut(x[self.kept]))


def stage(dimensions: int, width_in: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    """``blocks`` bottlenecks, of which the first changes width and size."""
    first = Bottleneck(dimensions, width_in, width, stride)
    return nn.Sequential(first, *(Bottleneck(dimensions, EXPANSION * width, width) for _ in range(blocks - 1)))
