"""Activation checkpointing: a stage's activations are dropped after its forward pass and computed
again for its gradients.

Memory then grows with the largest stage instead of their sum, for about a third more arithmetic
(Chen et al. 2016, arXiv 1604.06174).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def stages(network: nn.Module) -> list[nn.Module]:
    """The outermost modules in lists and sequences that have submodules: a ResNet's stages, a
    DenseNet's dense blocks, a transformer's layers.
    """
    members: list[nn.Module] = []
    for child in network.children():
        if isinstance(network, nn.ModuleList | nn.Sequential) and any(True for _ in child.children()):
            members.append(child)
        else:
            members += stages(child)
    return members


def recompute(network: nn.Module) -> int:
    """Make every stage of ``network`` (see :func:`stages`) recompute its activations in training;
    returns the number of stages.

    Gradients and running statistics are those of a plain pass: random layers draw the same numbers,
    and the second pass does not count as another batch for batch normalisation. Names and weights
    stay as they are.
    """
    repeated = stages(network)
    for stage in repeated:
        stage.forward = partial(_checkpointed, stage, stage.forward)  # type: ignore[method-assign]
    return len(repeated)


def _checkpointed(stage: nn.Module, forward: Any, *inputs: Any) -> Any:
    if not stage.training or not torch.is_grad_enabled():
        return forward(*inputs)
    return checkpoint(forward, *inputs, use_reentrant=False, context_fn=partial(_contexts, stage))


def _contexts(stage: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Context managers for the first and the second pass."""
    return nullcontext(), _statistics_untouched(stage)


@contextmanager
def _statistics_untouched(stage: nn.Module) -> Iterator[None]:
    """Keep running statistics unchanged, bit for bit, by a momentum of zero; the count of batches
    is restored.
    """
    norms = [module for module in stage.modules() if isinstance(module, _BatchNorm)]
    before = [(norm, norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked = norm.num_batches_tracked.clone()  # the second pass counts in the copy
    try:
        yield
    finally:
        for norm, momentum, count in before:
            norm.momentum, norm.num_batches_tracked = momentum, count
