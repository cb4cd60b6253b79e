"""The mobile inverted bottleneck (Sandler et al. 2018; Tan & Le 2019) in two or three dimensions,
and its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.options.efficientnet import SQUEEZED
from kneeoa.backbones.residual import CONVOLUTION, NORM, StochasticDepth


@dataclass(frozen=True)
class Style:
    """Settings that all convolutions of a network share."""

    dimensions: int
    """2 or 3."""
    activation: Callable[[], nn.Module]
    """Factory of the activation."""
    tensorflow: bool
    """Pad strided convolutions as TensorFlow's SAME; else by half a kernel on either side. Without
    a stride both are equal.
    """
    epsilon: float
    """Epsilon of the batch norms."""


class ConvolutionNorm(nn.Module):
    """A convolution without bias, batch norm, and the activation if ``activated``; ``size`` becomes
    ``ceil(size / stride)``.
    """

    def __init__(
        self, style: Style, width_in: int, width_out: int, kernel: int = 1, stride: int = 1, groups: int = 1, activated: bool = True
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        # At stride 1 SAME is half a kernel on either side, which the convolution pads itself
        # without a copy.
        self.padded = style.tensorflow and stride > 1
        self.convolution = CONVOLUTION[style.dimensions](
            width_in, width_out, kernel, stride=stride, padding=0 if self.padded else kernel // 2, groups=groups, bias=False
        )
        self.norm = NORM[style.dimensions](width_out, eps=style.epsilon)
        self.activation = style.activation() if activated else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, width_in, *size]`` to ``[batch, width_out, *ceil(size / stride)]``."""
        if self.padded:
            x = functional.pad(x, same_padding(tuple(x.shape[2:]), self.kernel, self.stride))
        activated: Tensor = self.activation(self.norm(self.convolution(x)))
        return activated


def same_padding(size: tuple[int, ...], kernel: int, stride: int) -> list[int]:
    """TensorFlow's SAME padding as :func:`torch.nn.functional.pad` takes it: last axis first; an
    odd voxel is added at the far end.
    """
    padding: list[int] = []
    for length in reversed(size):
        missing = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        padding += [missing // 2, missing - missing // 2]
    return padding


class SqueezeExcitation(nn.Module):
    """Multiply every channel by a gate that a small perceptron computes from all channels' means
    (Hu et al. 2018).
    """

    def __init__(self, style: Style, width: int, squeezed: int) -> None:
        super().__init__()
        convolution = CONVOLUTION[style.dimensions]
        self.reduce = convolution(width, squeezed, 1)
        self.activation = style.activation()
        self.expand = convolution(squeezed, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, width, *size]`` to the same shape."""
        means = x.mean(dim=tuple(range(2, x.dim())), keepdim=True)
        return x * torch.sigmoid(self.expand(self.activation(self.reduce(means))))


class MBConv(nn.Module):
    """Widen (unless ``expansion`` is 1), convolve each channel alone, gate the channels where
    ``excited``, and narrow again.

    Where stride and width allow, the result is added to the input; in training, whole cases then
    skip the block with probability ``drop``.
    """

    def __init__(
        self,
        style: Style,
        width_in: int,
        width_out: int,
        *,
        kernel: int,
        stride: int,
        expansion: int,
        excited: bool,
        drop: float,
    ) -> None:
        super().__init__()
        wide = expansion * width_in
        self.widen = ConvolutionNorm(style, width_in, wide) if expansion > 1 else nn.Identity()
        self.depthwise = ConvolutionNorm(style, wide, wide, kernel, stride, groups=wide)
        self.excite = SqueezeExcitation(style, wide, max(1, int(width_in * SQUEEZED))) if excited else nn.Identity()
        self.narrow = ConvolutionNorm(style, wide, width_out, activated=False)
        self.residual = stride == 1 and width_in == width_out
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, width_in, *size]`` to ``[batch, width_out, *ceil(size / stride)]``."""
        y: Tensor = self.narrow(self.excite(self.depthwise(self.widen(x))))
        return x + self.drop(y) if self.residual else y
