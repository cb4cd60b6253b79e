"""Dropout with one mask per case: a function of the run's seed, the epoch, the case and the layer
alone.

Cutting a batch into micro-batches, running a layer a second time for its gradients or resuming a
job in the middle of an epoch then changes no mask. Without keys the modules draw from torch's
generator, as usual.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kneeoa.network.keyed_random import derive_keys, uniform

RATES = {"StochasticDepth": "rate", "DropPath": "drop_prob"}
"""Classes of stochastic depth, the backbones' and MONAI's -> the attribute that holds the
probability. They are given by name, as most networks import neither.
"""


class DropoutKeys:
    """Keys of the cases in the present batch, shared by a network's random layers."""

    def __init__(self) -> None:
        self.values: Tensor | None = None
        """int64 ``[cases]`` on the network's device; None: draw from torch's generator."""


class RandomLayer(nn.Module):
    """A layer that drops at random; :func:`by_case` gives it the keys."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.number = 0
        self.keys = DropoutKeys()

    def drawn(self, x: Tensor, count: int) -> Tensor:
        """Draw uniform numbers ``[cases, count]`` for ``x``, whose first axis holds case after
        case.
        """
        if self.keys.values is None:
            return torch.rand((len(x), count), device=x.device)
        return uniform(derive_keys(self.keys.values, self.number), count)

    def extra_repr(self) -> str:
        """Text of the module's settings, as in torch's dropout."""
        return f"p={self.p}"


class Dropout(RandomLayer):
    """Zero single entries with probability p and scale the others by 1 / (1 - p) (Srivastava et
    al., JMLR 2014).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Drop entries of ``[cases, ...]``; the shape stays. The first axis may hold several rows
        of each case, one case after the other.
        """
        if not self.training or not self.p:
            return x
        cases = len(x) if self.keys.values is None else len(self.keys.values)
        kept = self.drawn(x, x.numel() // cases).reshape(x.shape) >= self.p
        return x * kept.to(x.dtype) * (1.0 / (1.0 - self.p))


class BranchDropout(RandomLayer):
    """Stochastic depth: drop a case's residual branch with probability p, else scale it by
    1 / (1 - p) (Huang et al. 2016).
    """

    def forward(self, branch: Tensor) -> Tensor:
        """Drop or scale the branch of each case, ``[cases, ...]``, before it is added to its
        input.
        """
        if not self.training or not self.p:
            return branch
        kept = self.drawn(branch, 1) >= self.p
        kept = kept.repeat_interleave(len(branch) // len(kept), dim=0).reshape(-1, *[1] * (branch.dim() - 1))
        return branch * kept.to(branch.dtype) * (1.0 / (1.0 - self.p))


def use_keyed_dropout(network: nn.Module) -> DropoutKeys:
    """Make every random layer of ``network`` draw its masks from the keys returned; torch's and
    MONAI's modules are replaced in place, weights stay.

    A module has one mask per case, so one that is called at two places of a network drops the same
    entries at both. Dropout inside torch's own attention functions is no module and still draws
    from torch's generator.
    """
    keys = DropoutKeys()
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Dropout:
                setattr(parent, name, Dropout(child.p).train(child.training))
            elif type(child).__name__ in RATES:
                setattr(parent, name, BranchDropout(getattr(child, RATES[type(child).__name__])).train(child.training))
    layers = [module for module in network.modules() if isinstance(module, RandomLayer)]
    for number, layer in enumerate(layers):
        layer.number, layer.keys = number, keys
    return keys
