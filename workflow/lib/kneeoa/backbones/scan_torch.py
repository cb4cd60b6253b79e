"""The steps of the chunked selective scan in torch, on any device: all chunks side by side, one
step after another.

Shapes are those of :mod:`kneeoa.backbones.selective_scan`: ``delta``, ``u``, ``grad`` ``[steps,
batch, chunks, channels]``, ``B`` and ``C`` ``[steps, batch, chunks, states]``, ``A`` ``[states,
channels]``, states ``[batch, chunks, states, channels]``.
"""

from __future__ import annotations

import torch
from torch import Tensor


def final_states(delta: Tensor, u: Tensor, A: Tensor, B: Tensor, start: Tensor) -> Tensor:
    """The states after all steps from ``start``."""
    state = start.clone()
    for t in range(delta.shape[0]):
        _advance(state, delta[t], u[t], A, B[t], out=state)
    return state


def outputs(delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, start: Tensor) -> Tensor:
    """The output C_t . h_t after each step from ``start``, shaped as ``u``."""
    state, y = start.clone(), torch.empty_like(u)
    for t in range(delta.shape[0]):
        _advance(state, delta[t], u[t], A, B[t], out=state)
        y[t] = torch.matmul(C[t].unsqueeze(-2), state).squeeze(-2)
    return y


def adjoint(grad: Tensor, delta: Tensor, A: Tensor, C: Tensor) -> Tensor:
    """The gradient with respect to the states before the first step, if that with respect to the
    states after the last is zero.
    """
    _, batch, chunks, _ = delta.shape
    result = delta.new_zeros(batch, chunks, *A.shape)
    for t in reversed(range(delta.shape[0])):
        result.addcmul_(C[t].unsqueeze(-1), grad[t].unsqueeze(-2)).mul_(torch.exp(delta[t].unsqueeze(-2) * A))
    return result


def gradients(
    grad: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, start: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients with respect to delta, u, A, B and C; every state of every step is recomputed and
    kept.
    """
    by_delta, by_u, by_B, by_C = (torch.empty_like(each) for each in (delta, u, B, C))
    states = start.new_empty(delta.shape[0] + 1, *start.shape)  # before the first step and after each
    states[0] = start
    for t in range(delta.shape[0]):
        _advance(states[t], delta[t], u[t], A, B[t], out=states[t + 1])
    adjoint, by_rate = end.clone(), torch.zeros_like(start)
    for t in reversed(range(delta.shape[0])):
        here_delta, here_grad = delta[t].unsqueeze(-2), grad[t].unsqueeze(-2)
        adjoint.addcmul_(C[t].unsqueeze(-1), here_grad)  # the gradient by the state after step t
        by_C[t] = torch.matmul(states[t + 1], here_grad.transpose(-2, -1)).squeeze(-1)
        by_B[t] = torch.matmul(adjoint, u[t].unsqueeze(-1)).squeeze(-1)
        by_u[t] = torch.matmul(B[t].unsqueeze(-2), adjoint).squeeze(-2)
        adjoint.mul_(torch.exp(here_delta * A))  # the gradient by the state before step t
        by_exponent = adjoint * states[t]
        by_delta[t] = (by_exponent * A).sum(dim=-2)
        by_rate.addcmul_(by_exponent, here_delta)
    return by_delta, by_u, by_rate.sum(dim=(0, 1)), by_B, by_C


def _advance(state: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, out: Tensor) -> None:
    """Compute one step of the recurrence for the states of all chunks into ``out``, which may be
    ``state`` itself.
    """
    torch.mul(state, torch.exp(delta.unsqueeze(-2) * A), out=out)
    out.addcmul_(B.unsqueeze(-1), u.unsqueeze(-2))
