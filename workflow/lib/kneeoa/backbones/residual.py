"""Residual blocks (He et al. 2016) in two or three dimensions: the basic block (fig. 2, shortcuts
of type A or B), the bottleneck (fig. 5), and stochastic depth.

Public weights (torchvision's, timm's) of bottlenecks belong to the stride in the convolution of
kernel 3 ("v1.5"); the paper has it in the first convolution.

Stochastic depth leaves a residual branch out of whole cases in training (Huang et al. 2016, arXiv
1603.09382).
"""

from __future__ import annotations

from types import EllipsisType

import torch
from torch import Tensor, nn
from torch.nn import functional

CONVOLUTION: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
NORM: dict[int, type[nn.BatchNorm2d] | type[nn.BatchNorm3d]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}

EXPANSION = 4
"""Channels of a block's output, as a multiple of those of its middle."""


class StochasticDepth(nn.Module):
    """Zero ``[batch, ...]`` for each case with probability ``rate`` and scale the others by ``1 /
    (1 - rate)``; the identity in evaluation.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """Drop or scale each case's branch; draws from torch's generator of its device."""
        if not self.training or self.rate == 0:
            return branch
        kept = torch.rand(branch.shape[0], device=branch.device) >= self.rate
        return branch * (kept / (1 - self.rate)).to(branch.dtype).reshape(-1, *[1] * (branch.dim() - 1))


class ZeroChannels(nn.Module):
    """The shortcut of type A: additional channels are zeros."""

    def __init__(self, added: int) -> None:
        super().__init__()
        self.added = added

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, width, *size]`` to ``[batch, width + added, *size]``."""
        return functional.pad(x, (0, 0) * (x.dim() - 2) + (0, self.added))


class BasicBlock(nn.Module):
    """Two convolutions of kernel 3 with batch norm, added to the input.

    Where the block changes width or size, the input is projected by a kernel-1 convolution
    (``shortcut`` B) or filled with zeros (A).

    No convolution has a bias. Dilation widens both convolutions, as MedicalNet does.
    """

    def __init__(self, dimensions: int, width_in: int, width_out: int, stride: int = 1, dilation: int = 1, shortcut: str = "B") -> None:
        super().__init__()
        convolution, norm = CONVOLUTION[dimensions], NORM[dimensions]
        self.first = convolution(width_in, width_out, 3, stride=stride, padding=dilation, dilation=dilation, bias=False)
        self.first_norm = norm(width_out)
        self.second = convolution(width_out, width_out, 3, padding=dilation, dilation=dilation, bias=False)
        self.second_norm = norm(width_out)
        self.shortcut: nn.Module = nn.Identity()
        if shortcut == "A" and width_in != width_out:
            self.shortcut = ZeroChannels(width_out - width_in)
        elif shortcut == "B" and (stride != 1 or width_in != width_out):
            self.shortcut = nn.Sequential(convolution(width_in, width_out, 1, bias=False), norm(width_out))
        # The shortcut's stride is taken by slicing, which is the same arithmetic: oneDNN's strided
        # kernel-1 convolution overwrites memory in its backward pass where channels lie last and
        # are few (oneDNN issue 6035; seen with 4 channels and torch 2.13).
        self.kept: tuple[EllipsisType | slice, ...] = (..., *(slice(None, None, stride),) * dimensions)

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        """``[batch, width_in, *size]`` to ``[batch, width_out, *ceil(size / stride)]``; ``beside``
        is added as another branch.
        """
        y = self.second_norm(self.second(functional.relu(self.first_norm(self.first(x)))))
        if beside is not None:
            y = y + beside
        return functional.relu(y + self.shortcut(x[self.kept]))


def stage(
    dimensions: int, width_in: int, width_out: int, blocks: int, stride: int = 1, dilation: int = 1, shortcut: str = "B"
) -> nn.Sequential:
    """``blocks`` basic blocks, of which the first changes width and size."""
    first = BasicBlock(dimensions, width_in, width_out, stride, dilation, shortcut)
    return nn.Sequential(first, *(BasicBlock(dimensions, width_out, width_out, dilation=dilation) for _ in range(blocks - 1)))


def kaiming_fan_out(network: nn.Module) -> None:
    """Draw every convolution's weights from a normal distribution that keeps the variance of
    gradients (He et al. 2015).

    This is the initialisation of ResNets, MedicalNet's among them; batch norms are the identity at
    first by default.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


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


def bottleneck_stage(dimensions: int, width_in: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    """``blocks`` bottlenecks, of which the first changes width and size."""
    first = Bottleneck(dimensions, width_in, width, stride)
    return nn.Sequential(first, *(Bottleneck(dimensions, EXPANSION * width, width) for _ in range(blocks - 1)))
