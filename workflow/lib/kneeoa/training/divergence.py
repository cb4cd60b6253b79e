"""Stop a run whose loss or gradient is not finite, and keep the state before that step."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from kneeoa.errors import KneeoaError


class NotFinite(KneeoaError):
    """A loss or a gradient became infinite or NaN; the message names the cases of its batch."""


class BufferCopy:
    """A copy of a network's buffers as they were before a step.

    A forward pass of a bad batch spoils batch normalisation's running statistics before its loss is
    checked, while weights and optimiser are still those of the step before. With the buffers
    restored, the state is good again.
    """

    def __init__(self, network: nn.Module) -> None:
        """Copy the buffers of ``network``; the copies stay on its device."""
        self._buffers = list(network.buffers())
        self._copies = [buffer.detach().clone() for buffer in self._buffers]

    @torch.no_grad()
    def save(self) -> None:
        """Copy the buffers as they are now."""
        for copy, buffer in zip(self._copies, self._buffers, strict=True):
            copy.copy_(buffer)

    @torch.no_grad()
    def restore(self) -> None:
        """Restore the buffers from the last copy."""
        for copy, buffer in zip(self._copies, self._buffers, strict=True):
            buffer.copy_(copy)


def all_finite(tensors: Iterable[torch.Tensor]) -> bool:
    """Whether no tensor holds an infinity or a NaN."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
