"""Parameters of a network, and the memory and arithmetic of a training step, counted from its sizes
before anything is built. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

BYTES = 4
"""Bytes of a value in single precision."""
COPIES = 4
"""Values for each weight: itself, its gradient, and two moments of the optimiser."""
PASSES = 3
"""A step's arithmetic, as a multiple of its forward pass: the gradient takes two more."""


@dataclass(frozen=True)
class StepCost:
    """Sizes of a network for an image of one shape."""

    parameters: int = 0
    kept: int = 0
    """Values of one case that are kept for the gradient."""
    products: int = 0
    """Multiplications of the forward pass of one case, in convolutions and matrix products."""

    def __add__(self, other: StepCost) -> StepCost:
        return StepCost(self.parameters + other.parameters, self.kept + other.kept, self.products + other.products)

    def __mul__(self, times: int) -> StepCost:
        return StepCost(self.parameters * times, self.kept * times, self.products * times)

    def memory_mb(self, cases: int) -> float:
        """About how many megabytes (10^6 bytes) a step of so many cases at a time needs in single
        precision; what is computed and dropped again comes on top.
        """
        return BYTES * (COPIES * self.parameters + cases * self.kept) / 1e6

    def operations(self, cases: int) -> int:
        """Additions and multiplications of a step of so many cases."""
        return 2 * PASSES * cases * self.products


def convolution(positions: int, width_in: int, width_out: int, kernel: int, *, groups: int = 1, bias: bool = False) -> StepCost:
    """A convolution, or a linear layer on ``positions``, of ``kernel`` voxels in all; its input is
    kept by what made it.
    """
    weights = width_in // groups * width_out * kernel
    return StepCost(weights + (width_out if bias else 0), 0, positions * weights)


def normalised(positions: int, width: int, kept: int = 2) -> StepCost:
    """A norm and what follows it: its input is kept, and the activation's result; ``kept`` of both
    and of what else.
    """
    return StepCost(2 * width, kept * positions * width)


def transformer_layer(tokens: int, width: int, hidden: int, *, attending: int, products_with: int, kept: int) -> StepCost:
    """Attention and perceptron, each after a norm.

    Args:
        tokens: of the perceptron.
        width: of a token.
        hidden: of the perceptron.
        attending: tokens of the attention, with padding.
        products_with: tokens to which each attends.
        kept: values that the attention keeps for each component of a token.
    """
    layers = convolution(attending, width, 3 * width, 1, bias=True) + convolution(attending, width, width, 1, bias=True)
    layers += convolution(tokens, width, hidden, 1, bias=True) + convolution(tokens, hidden, width, 1, bias=True)
    norms = StepCost(parameters=4 * width, kept=tokens * (3 * width + 2 * hidden))
    return layers + norms + StepCost(kept=attending * kept * width, products=2 * attending * products_with * width)
