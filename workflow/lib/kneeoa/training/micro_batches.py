"""Split a batch into parts, and into smaller ones where the device runs out of memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import torch

from kneeoa.errors import KneeoaError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


def split_cases(cases: int, size: int) -> list[slice]:
    """Split ``cases`` into the fewest parts of at most ``size``, of nearly equal lengths: 5 cases
    by 4 are 3 and 2, not 4 and 1.
    """
    count = -(-cases // size)
    ends = [cases * number // count for number in range(count + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


def with_smaller_batches(attempt: Callable[[int], Result], size: int) -> tuple[Result, int]:
    """Call ``attempt`` with ``size`` cases at a time; after an out-of-memory error of the device,
    again with half as many.

    Returns:
        Its result, and the size at which it succeeded.

    Raises:
        KneeoaError: not even one case fits.
    """
    while True:
        try:
            return attempt(size), size
        except torch.OutOfMemoryError as error:
            if size == 1:
                raise KneeoaError(
                    "One case at a time does not fit into the device's memory; set 'training.recompute' to true, 'training.precision' to "
                    "bfloat16, 'training.data' to streamed, or make the arm's grid coarser."
                ) from error
        # Not inside the except clause: the error's traceback holds the tensors of the failed
        # attempt.
        size = (size + 1) // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        logger.warning("the device ran out of memory; from now on %d cases at a time, in the same batches", size)
