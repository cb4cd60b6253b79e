"""The steps of the chunked selective scan as Triton kernels for CUDA devices: shapes and meaning as
in :mod:`kneeoa.backbones.scan_torch`.

One program steps through one chunk for a block of channels, its states in registers. Sums over
blocks of channels are partial sums added afterwards, not atomic ones, so the same input gives the
same bytes.

Without a GPU, tests compile these functions for the usual devices and run them by Triton's
interpreter, program by program, against the recurrence. They were not run on a GPU when they were
written; the tests that do so are skipped where there is no CUDA device.
"""

from __future__ import annotations

import torch
import triton  # type: ignore[import-not-found,import-untyped,unused-ignore]
import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]
from torch import Tensor

CHANNELS = 64
"""Most channels of one program."""


@triton.jit  # type: ignore[misc,untyped-decorator,unused-ignore]
def forward_kernel(delta, u, A, B, C, start, final, y, steps, rows, channels, states, READ: tl.constexpr, N: tl.constexpr, W: tl.constexpr):  # type: ignore[no-untyped-def]
    """Step through one chunk from ``start``: write the state after it to ``final``, or (READ) the
    output after each step to ``y``.
    """
    row = tl.program_id(0).to(tl.int64)
    n = tl.arange(0, N)
    c = tl.program_id(1) * W + tl.arange(0, W)
    real_n = n < states
    real_c = c < channels
    tile = n[:, None] * channels + c[None, :]
    real = real_n[:, None] & real_c[None, :]
    rate = tl.load(A + tile, mask=real, other=0.0)
    state = tl.load(start + row * states * channels + tile, mask=real, other=0.0)
    for t in range(steps):
        at = t * rows + row
        step = tl.load(delta + at * channels + c, mask=real_c, other=0.0)
        entering = tl.load(u + at * channels + c, mask=real_c, other=0.0)
        entry = tl.load(B + at * states + n, mask=real_n, other=0.0)
        state = tl.exp(rate * step[None, :]) * state + entry[:, None] * entering[None, :]
        if READ:
            readout = tl.load(C + at * states + n, mask=real_n, other=0.0)
            tl.store(y + at * channels + c, tl.sum(state * readout[:, None], axis=0), mask=real_c)
    if not READ:
        tl.store(final + row * states * channels + tile, state, mask=real)


@triton.jit  # type: ignore[misc,untyped-decorator,unused-ignore]
def adjoint_kernel(grad, delta, A, C, result, steps, rows, channels, states, N: tl.constexpr, W: tl.constexpr):  # type: ignore[no-untyped-def]
    """Step through one chunk in reverse from zero: write the gradient with respect to the state
    before it to ``result``.
    """
    row = tl.program_id(0).to(tl.int64)
    n = tl.arange(0, N)
    c = tl.program_id(1) * W + tl.arange(0, W)
    real_n = n < states
    real_c = c < channels
    tile = n[:, None] * channels + c[None, :]
    real = real_n[:, None] & real_c[None, :]
    rate = tl.load(A + tile, mask=real, other=0.0)
    adjoint = rate * 0.0
    for back in range(steps):
        at = (steps - 1 - back) * rows + row
        step = tl.load(delta + at * channels + c, mask=real_c, other=0.0)
        arriving = tl.load(grad + at * channels + c, mask=real_c, other=0.0)
        readout = tl.load(C + at * states + n, mask=real_n, other=0.0)
        adjoint = (adjoint + readout[:, None] * arriving[None, :]) * tl.exp(rate * step[None, :])
    tl.store(result + row * states * channels + tile, adjoint, mask=real)


@triton.jit  # type: ignore[misc,untyped-decorator,unused-ignore]
def gradient_kernel(  # type: ignore[no-untyped-def]
    grad, delta, u, A, B, C, start, end, held, by_delta, by_u, by_rate, by_B, by_C, steps, rows, channels, states,
    N: tl.constexpr, W: tl.constexpr,
):  # fmt: skip
    """Write one chunk's states to ``held`` in a forward pass, then all gradients in reverse; sums
    over channels are those of this block.
    """
    row = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1).to(tl.int64)
    n = tl.arange(0, N)
    c = tl.program_id(1) * W + tl.arange(0, W)
    real_n = n < states
    real_c = c < channels
    tile = n[:, None] * channels + c[None, :]
    real = real_n[:, None] & real_c[None, :]
    chunk_tile = row * states * channels + tile
    rate = tl.load(A + tile, mask=real, other=0.0)
    state = tl.load(start + chunk_tile, mask=real, other=0.0)
    for t in range(steps):
        at = t * rows + row
        tl.store(held + at * states * channels + tile, state, mask=real)
        step = tl.load(delta + at * channels + c, mask=real_c, other=0.0)
        entering = tl.load(u + at * channels + c, mask=real_c, other=0.0)
        entry = tl.load(B + at * states + n, mask=real_n, other=0.0)
        state = tl.exp(rate * step[None, :]) * state + entry[:, None] * entering[None, :]
    tl.debug_barrier()  # one thread may load what another stored
    adjoint = tl.load(end + chunk_tile, mask=real, other=0.0)
    rates = rate * 0.0
    for back in range(steps):
        t = steps - 1 - back
        at = t * rows + row
        part = (block * steps + t) * rows + row
        before = tl.load(held + at * states * channels + tile, mask=real, other=0.0)
        step = tl.load(delta + at * channels + c, mask=real_c, other=0.0)
        entering = tl.load(u + at * channels + c, mask=real_c, other=0.0)
        arriving = tl.load(grad + at * channels + c, mask=real_c, other=0.0)
        entry = tl.load(B + at * states + n, mask=real_n, other=0.0)
        readout = tl.load(C + at * states + n, mask=real_n, other=0.0)
        decay = tl.exp(rate * step[None, :])
        after = decay * before + entry[:, None] * entering[None, :]
        adjoint += readout[:, None] * arriving[None, :]
        tl.store(by_C + part * states + n, tl.sum(after * arriving[None, :], axis=1), mask=real_n)
        tl.store(by_B + part * states + n, tl.sum(adjoint * entering[None, :], axis=1), mask=real_n)
        tl.store(by_u + at * channels + c, tl.sum(adjoint * entry[:, None], axis=0), mask=real_c)
        adjoint = adjoint * decay
        by_exponent = adjoint * before
        tl.store(by_delta + at * channels + c, tl.sum(by_exponent * rate, axis=0), mask=real_c)
        rates += by_exponent * step[None, :]
    tl.store(by_rate + chunk_tile, rates, mask=real)


def final_states(delta: Tensor, u: Tensor, A: Tensor, B: Tensor, start: Tensor) -> Tensor:
    """The states after all steps from ``start``."""
    final = torch.empty_like(start)
    grid, sizes, tile = _launch(delta, A)
    forward_kernel[grid](delta, u, A, B, B, start, final, u, *sizes, READ=False, **tile)
    return final


def outputs(delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, start: Tensor) -> Tensor:
    """The output C_t . h_t after each step from ``start``, shaped as ``u``."""
    y = torch.empty_like(u)
    grid, sizes, tile = _launch(delta, A)
    forward_kernel[grid](delta, u, A, B, C, start, start, y, *sizes, READ=True, **tile)
    return y


def adjoint(grad: Tensor, delta: Tensor, A: Tensor, C: Tensor) -> Tensor:
    """The gradient with respect to the states before the first step, if that with respect to the
    states after the last is zero.
    """
    result = delta.new_empty(*delta.shape[1:3], *A.shape)
    grid, sizes, tile = _launch(delta, A)
    adjoint_kernel[grid](grad, delta, A, C, result, *sizes, **tile)
    return result


def gradients(
    grad: Tensor, delta: Tensor, u: Tensor, A: Tensor, B: Tensor, C: Tensor, start: Tensor, end: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients with respect to delta, u, A, B and C; every state of every step is recomputed and
    kept.
    """
    grid, sizes, tile = _launch(delta, A)
    by_delta, by_u, by_rate = torch.empty_like(delta), torch.empty_like(u), torch.empty_like(start)
    by_B, by_C = (each.new_empty(grid[1], *each.shape) for each in (B, C))
    held = start.new_empty(delta.shape[0], *start.shape)
    gradient_kernel[grid](grad, delta, u, A, B, C, start, end, held, by_delta, by_u, by_rate, by_B, by_C, *sizes, **tile)
    return by_delta, by_u, by_rate.sum(dim=(0, 1)), by_B.sum(dim=0), by_C.sum(dim=0)


def _launch(delta: Tensor, A: Tensor) -> tuple[tuple[int, int], tuple[int, int, int, int], dict[str, int]]:
    """Launch parameters: programs (chunks of all cases, blocks of channels), the kernels' sizes,
    and the sides of a tile, which must be powers of two.
    """
    steps, batch, chunks, channels = delta.shape
    width = min(CHANNELS, _power_of_two(channels))
    return (
        (batch * chunks, -(-channels // width)),
        (steps, batch * chunks, channels, A.shape[0]),
        {"N": _power_of_two(A.shape[0]), "W": width},
    )


def _power_of_two(number: int) -> int:
    """The least power of two that is not below ``number`` and not below 2."""
    return 1 << max(1, (number - 1).bit_length())
