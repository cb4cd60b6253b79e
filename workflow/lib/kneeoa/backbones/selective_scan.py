"""The selective scan of Mamba (Gu & Dao 2023, arXiv 2312.00752, algorithm 2) in plain torch, on any device.

    h_t = exp(delta_t A) h_(t-1) + delta_t x_t B_t          y_t = C_t . h_t + D x_t

The sequence of length L is cut into about sqrt(L) chunks. All chunks step forward side by side from a zero state, a short loop
carries their final states on, and a second pass from the true states gives y: about 3 sqrt(L) steps instead of L. The backward pass
is the same recurrence in reverse. States are never kept for the whole sequence: autograd keeps each chunk's initial state, and the
backward pass recomputes a few chunks at a time.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

# States that the backward pass recomputes and holds at once (numbers, not bytes).
HELD_STATES = 2**24


def selective_scan(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """The scan, in chunks; differentiable once in every argument.

    Half-precision arguments are widened: sums over many steps need float32.

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
    kind = torch.promote_types(x.dtype, torch.float32)
    with _without_autocast(x.device.type):
        wide, delta, A, B, C, D = (each.to(kind) for each in (x, delta, A, B, C, D))
        length = x.shape[1]
        steps = math.ceil(math.sqrt(length))
        chunks = math.ceil(length / steps)
        # Padded steps have delta = 0: they neither decay the state nor add to it.
        cut_delta, u, cut_B, cut_C = (_cut(each, steps, chunks) for each in (delta, delta * wide, B, C))
        y: Tensor = _ChunkedScan.apply(cut_delta, u, A.t().contiguous(), cut_B, cut_C)  # type: ignore[no-untyped-call]
        y = y.permute(1, 2, 0, 3).flatten(1, 2)[:, :length]
        return (y + D * wide).to(x.dtype)


def selective_scan_reference(x: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """The same, one step after another: the definition that :func:`selective_scan` is held against."""
    state = x.new_zeros(x.shape[0], *A.shape)
    u, read = delta * x, []
    for t in range(x.shape[1]):
        decay = torch.exp(delta[:, t, :, None] * A)
        state = decay * state + u[:, t, :, None] * B[:, t, None, :]
        read.append((state * C[:, t, None, :]).sum(dim=-1))
    return torch.stack(read, dim=1) + D * x


def _without_autocast(device: str) -> AbstractContextManager[Any]:
    """Autocast would multiply in half precision."""
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def _cut(each: Tensor, steps: int, chunks: int) -> Tensor:
    """``[batch, length, width]`` padded with zeros and cut into ``[steps, batch, chunks, width]``: one step of all chunks lies together."""
    batch, length, width = each.shape
    padded = functional.pad(each, (0, 0, 0, steps * chunks - length))
    return padded.reshape(batch, chunks, steps, width).permute(2, 0, 1, 3).contiguous()


class _ChunkedScan(torch.autograd.Function):
    """y_t = C_t . h_t for inputs u = delta x.

    Below, ``delta``, ``u`` and ``y`` are ``[steps, batch, chunks, channels]``, ``B`` and ``C`` ``[steps, batch, chunks, states]``, ``A`` is
    ``[states, channels]``, and states of all chunks are ``[batch, chunks, states, channels]``: channels last, as they are the longer axis.
    """

    @staticmethod
    def forward(ctx: Any, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
        start = _initial_states(delta, u, A, B)
        ctx.save_for_backward(delta, u, A, B, C, start)
        state = start.clone()
        y = torch.empty_like(u)
        for t in range(delta.shape[0]):
            _advance(state, delta[t], u[t], A, B[t], out=state)
            y[t] = torch.matmul(C[t].unsqueeze(-2), state).squeeze(-2)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        delta, u, A, B, C, start = ctx.saved_tensors
        with _without_autocast(grad.device.type):
            return _gradients(grad.contiguous(), delta, u, A, B, C, start)


def _advance(state: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, out: Tensor) -> None:
    """One step of the recurrence for the states of all chunks, written into ``out``, which may be ``state`` itself."""
    torch.mul(state, torch.exp(delta.unsqueeze(-2) * A), out=out)
    out.addcmul_(B.unsqueeze(-1), u.unsqueeze(-2))


def _initial_states(delta: Tensor, u: Tensor, A: Tensor, B: Tensor) -> Tensor:
    """The true state before each chunk."""
    _, batch, chunks, _ = delta.shape
    state = delta.new_zeros(batch, chunks, *A.shape)
    for t in range(delta.shape[0]):
        _advance(state, delta[t], u[t], A, B[t], out=state)
    decay = torch.exp(delta.sum(dim=0).unsqueeze(-2) * A)
    start = torch.zeros_like(state)
    for chunk in range(1, chunks):
        start[:, chunk] = decay[:, chunk - 1] * start[:, chunk - 1] + state[:, chunk - 1]
    return start


def _final_adjoints(grad: Tensor, delta: Tensor, A: Tensor, C: Tensor) -> Tensor:
    """The gradient of the loss by the state after each chunk, through later chunks alone."""
    _, batch, chunks, _ = delta.shape
    adjoint = delta.new_zeros(batch, chunks, *A.shape)
    for t in reversed(range(delta.shape[0])):
        adjoint.addcmul_(C[t].unsqueeze(-1), grad[t].unsqueeze(-2)).mul_(torch.exp(delta[t].unsqueeze(-2) * A))
    decay = torch.exp(delta.sum(dim=0).unsqueeze(-2) * A)
    end = torch.zeros_like(adjoint)
    for chunk in reversed(range(chunks - 1)):
        end[:, chunk] = decay[:, chunk + 1] * end[:, chunk + 1] + adjoint[:, chunk + 1]
    return end


def _gradients(grad: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, start: Tensor) -> tuple[Tensor, ...]:
    """Gradients by delta, u, A, B and C, a few chunks at a time: with both end states known, chunks are independent."""
    end = _final_adjoints(grad, delta, A, C)
    by_delta, by_u, by_A, by_B, by_C = (torch.zeros_like(each) for each in (delta, u, A, B, C))
    steps, batch, chunks, _ = delta.shape
    group = max(1, HELD_STATES // (steps * batch * A.numel()))
    for first in range(0, chunks, group):
        part = slice(first, first + group)
        states = _recomputed(start[:, part], delta[:, :, part], u[:, :, part], A, B[:, :, part])
        adjoint, by_rate = end[:, part].clone(), torch.zeros_like(states[0])
        for t in reversed(range(steps)):
            here_delta, here_grad = delta[t, :, part].unsqueeze(-2), grad[t, :, part].unsqueeze(-2)
            adjoint.addcmul_(C[t, :, part].unsqueeze(-1), here_grad)  # the gradient by the state after step t
            by_C[t, :, part] = torch.matmul(states[t + 1], here_grad.transpose(-2, -1)).squeeze(-1)
            by_B[t, :, part] = torch.matmul(adjoint, u[t, :, part].unsqueeze(-1)).squeeze(-1)
            by_u[t, :, part] = torch.matmul(B[t, :, part].unsqueeze(-2), adjoint).squeeze(-2)
            adjoint.mul_(torch.exp(here_delta * A))  # the gradient by the state before step t
            by_exponent = adjoint * states[t]
            by_delta[t, :, part] = (by_exponent * A).sum(dim=-2)
            by_rate.addcmul_(by_exponent, here_delta)
        by_A += by_rate.sum(dim=(0, 1))
    return by_delta, by_u, by_A, by_B, by_C


def _recomputed(start: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor) -> Tensor:
    """The states of a few chunks before the first step and after each, ``[steps + 1, batch, chunks, states, channels]``."""
    states = start.new_empty(delta.shape[0] + 1, *start.shape)
    states[0] = start
    for t in range(delta.shape[0]):
        _advance(states[t], delta[t], u[t], A, B[t], out=states[t + 1])
    return states
