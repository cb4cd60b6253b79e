"""The selective scan of Mamba (Gu & Dao 2023, arXiv 2312.00752, algorithm 2) on any device, in
memory that does not grow with its states.

    h_t = exp(delta_t A) h_(t-1) + delta_t x_t B_t          y_t = C_t . h_t + D x_t

The sequence of length L is split into about sqrt(L) chunks. All chunks step forward in parallel
from a zero state, a short loop passes their final states on, and a second pass from the true states
gives y: about 3 sqrt(L) steps instead of L. The backward pass is the same recurrence in reverse.
States are never kept for the whole sequence: autograd keeps each chunk's initial state, and the
backward pass recomputes a few chunks at a time.

The steps are computed in torch (``scan_torch``), or by a Triton kernel on a CUDA device where
Triton can be imported (``scan_triton``). Where the package ``mamba_ssm`` can be imported, its fused
kernel is used on CUDA instead. All agree to rounding.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from kneeoa.backbones import scan_torch

# States that the backward pass recomputes and holds at once (numbers, not bytes), by type of
# device.
HELD_STATES = {"cpu": 2**24, "cuda": 2**27}


class Steps(Protocol):
    """Interface of a set of kernels; shapes as in :class:`_ChunkedScan`."""

    def final_states(self, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, start: Tensor) -> Tensor:
        """The states after all steps from ``start``."""

    def outputs(self, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, start: Tensor) -> Tensor:
        """The output of the states after each step from ``start``, shaped as ``u``."""

    def adjoint(self, grad: Tensor, delta: Tensor, A: Tensor, C: Tensor) -> Tensor:
        """The gradient with respect to the states before the first step, if that with respect to
        the states after the last is zero.
        """

    def gradients(
        self, grad: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, start: Tensor, end: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Gradients with respect to delta, u, A, B and C, from the states before the first step and
        the gradient with respect to those after the last.
        """


def selective_scan(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """Compute the scan by the fastest method that the device and installed packages allow;
    differentiable once in every argument.

    Half-precision arguments are converted: sums over many steps need float32.

    Args:
        x: input ``[batch, length, channels]``.
        delta: positive step sizes ``[batch, length, channels]``.
        A: negative decay rates ``[channels, states]``.
        B: how the input enters the states, ``[batch, length, states]``.
        C: how the states are read, ``[batch, length, states]``.
        D: share of the input that skips the states, ``[channels]``.

    Returns:
        ``[batch, length, channels]`` in the type of ``x``.
    """
    fused = _mamba_ssm() if x.is_cuda and x.dtype != torch.float64 else None
    if fused is None:
        return chunked_scan(x, delta, A, B, C, D, _steps(x.device.type))
    wide = [each.float() for each in (x, delta, A, B, C, D)]
    with _without_autocast(x.device.type):
        across = [each.transpose(1, 2).contiguous() for each in (wide[0], wide[1], wide[3], wide[4])]
        y: Tensor = fused(across[0], across[1], wide[2], across[2], across[3], wide[5])
    return y.transpose(1, 2).to(x.dtype)


def chunked_scan(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, steps: Steps) -> Tensor:
    """Compute the scan as :func:`selective_scan` does, in chunks, by the kernels of ``steps``."""
    kind = torch.promote_types(x.dtype, torch.float32)
    with _without_autocast(x.device.type):
        wide, delta, A, B, C, D = (each.to(kind) for each in (x, delta, A, B, C, D))
        length = x.shape[1]
        count = math.ceil(math.sqrt(length))
        chunks = math.ceil(length / count)
        # Padded steps have delta = 0: they neither decay the state nor add to it.
        cut_delta, u, cut_B, cut_C = (_split_chunks(each, count, chunks) for each in (delta, delta * wide, B, C))
        y: Tensor = _ChunkedScan.apply(cut_delta, u, A.t().contiguous(), cut_B, cut_C, steps)  # type: ignore[no-untyped-call]
        y = y.permute(1, 2, 0, 3).flatten(1, 2)[:, :length]
        return (y + D * wide).to(x.dtype)


def selective_scan_reference(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """Compute the scan step by step: the definition with which :func:`selective_scan` is
    compared.
    """
    state = x.new_zeros(x.shape[0], *A.shape)
    u, read = delta * x, []
    for t in range(x.shape[1]):
        decay = torch.exp(delta[:, t, :, None] * A)
        state = decay * state + u[:, t, :, None] * B[:, t, None, :]
        read.append((state * C[:, t, None, :]).sum(dim=-1))
    return torch.stack(read, dim=1) + D * x


def _steps(device: str) -> Steps:
    """The kernels for a type of device."""
    if device == "cuda" and importlib.util.find_spec("triton") is not None:
        from kneeoa.backbones import scan_triton

        return scan_triton
    return scan_torch


@lru_cache(maxsize=1)
def _mamba_ssm() -> Callable[..., Tensor] | None:
    """The fused scan of the package ``mamba_ssm``, where it is installed and can be imported."""
    try:
        from mamba_ssm.ops.selective_scan_interface import selective_scan_fn  # type: ignore[import-not-found]
    except ImportError:
        return None
    fused: Callable[..., Tensor] = selective_scan_fn
    return fused


def _without_autocast(device: str) -> AbstractContextManager[Any]:
    """Switch autocast off, which would multiply in half precision."""
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def _split_chunks(each: Tensor, steps: int, chunks: int) -> Tensor:
    """Pad ``[batch, length, width]`` with zeros and split it into ``[steps, batch, chunks,
    width]``: one step of all chunks is contiguous.
    """
    batch, length, width = each.shape
    padded = functional.pad(each, (0, 0, 0, steps * chunks - length))
    return padded.reshape(batch, chunks, steps, width).permute(2, 0, 1, 3).contiguous()


class _ChunkedScan(torch.autograd.Function):
    """The chunked scan: y_t = C_t . h_t for inputs u = delta x.

    Here and in the kernels, ``delta``, ``u`` and ``y`` are ``[steps, batch, chunks, channels]``,
    ``B`` and ``C`` ``[steps, batch, chunks, states]``, ``A`` is ``[states, channels]``, and states
    of all chunks are ``[batch, chunks, states, channels]``: channels last, as they are the longer
    axis.
    """

    @staticmethod
    def forward(ctx: Any, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, steps: Steps) -> Tensor:
        decay = torch.exp(delta.sum(dim=0).unsqueeze(-2) * A)
        zero = decay.new_zeros(decay.shape)
        start = _chunk_starts(steps.final_states(delta, u, A, B, zero), decay)
        ctx.save_for_backward(delta, u, A, B, C, start)
        ctx.steps = steps
        return steps.outputs(delta, u, A, B, C, start)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        delta, u, A, B, C, start = ctx.saved_tensors
        with _without_autocast(grad.device.type):
            return (*_gradients(ctx.steps, grad.contiguous(), delta, u, A, B, C, start), None)


def _chunk_starts(final: Tensor, decay: Tensor) -> Tensor:
    """The true state before each chunk, from the states after each chunk that started at zero and
    from the decay over each chunk.
    """
    start = torch.zeros_like(final)
    for chunk in range(1, final.shape[1]):
        start[:, chunk] = decay[:, chunk - 1] * start[:, chunk - 1] + final[:, chunk - 1]
    return start


def _gradients(steps: Steps, grad: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, start: Tensor) -> tuple[Tensor, ...]:
    """Gradients with respect to delta, u, A, B and C, a few chunks at a time: with both end states
    known, chunks are independent.
    """
    decay = torch.exp(delta.sum(dim=0).unsqueeze(-2) * A)
    # The gradient with respect to the state after each chunk, through later chunks alone: the same
    # recurrence, from the last chunk to the first.
    end = _chunk_starts(steps.adjoint(grad, delta, A, C).flip(1), decay.flip(1)).flip(1)
    by_delta, by_u, by_A, by_B, by_C = (torch.zeros_like(each) for each in (delta, u, A, B, C))
    count, batch, chunks, _ = delta.shape
    group = max(1, HELD_STATES.get(delta.device.type, HELD_STATES["cpu"]) // (count * batch * A.numel()))
    for first in range(0, chunks, group):
        part = slice(first, first + group)
        here = [each[:, :, part].contiguous() for each in (grad, delta, u, B, C)]
        ends = [each[:, part].contiguous() for each in (start, end)]
        parts = steps.gradients(here[0], here[1], here[2], A, here[3], here[4], ends[0], ends[1])
        by_delta[:, :, part], by_u[:, :, part], by_B[:, :, part], by_C[:, :, part] = parts[0], parts[1], parts[3], parts[4]
        by_A += parts[2]
    return by_delta, by_u, by_A, by_B, by_C
