"""A stand-in for the few words of Triton's language that the scan's kernels use: each program runs in turn, on tensors of the CPU."""

from __future__ import annotations

import itertools
import types

import torch

_program = [0, 0]


class Pointer:
    """A tensor's storage and positions in it."""

    def __init__(self, tensor, at=0):
        self.tensor, self.at = tensor, at

    def __add__(self, offset):
        return Pointer(self.tensor, self.at + offset)


class Kernel:
    """``kernel[grid](...)`` runs ``function`` once for each program of the grid."""

    def __init__(self, function):
        self.function = function

    def __getitem__(self, grid):
        def launch(*arguments, **constants):
            assert all(each.is_contiguous() for each in arguments if isinstance(each, torch.Tensor))
            given = [Pointer(each.view(-1)) if isinstance(each, torch.Tensor) else each for each in arguments]
            for place in itertools.product(*map(range, grid)):
                _program[:] = place
                self.function(*given, **constants)

        return launch


def arange(first, end):
    assert (end - first) & (end - first - 1) == 0, "the length of a range must be a power of two"
    return torch.arange(first, end)


def load(pointer, mask, other):
    at = torch.where(mask, pointer.at, 0)
    assert at.min() >= 0
    assert at.max() < len(pointer.tensor), "a load outside the tensor"
    return torch.where(mask, pointer.tensor[at], other)


def store(pointer, value, mask):
    at = pointer.at.expand(mask.shape)[mask]
    assert at.min() >= 0
    assert at.max() < len(pointer.tensor), "a store outside the tensor"
    pointer.tensor[at] = value.expand(mask.shape)[mask]


def modules():
    """What ``import triton`` and ``import triton.language`` are to give."""
    language = types.ModuleType("triton.language")
    language.int64, language.constexpr = torch.int64, int
    language.program_id = lambda axis: torch.tensor(_program[axis])
    language.arange, language.load, language.store, language.exp = arange, load, store, torch.exp
    language.sum = lambda tile, axis: tile.sum(dim=axis)
    language.debug_barrier = lambda: None
    triton = types.ModuleType("triton")
    triton.jit, triton.language = Kernel, language
    return {"triton": triton, "triton.language": language}
