"""Stream the images of a split from disk: background threads read the next batches while the
present one is computed.

The bytes and their order are those of a resident split. Memory does not depend on the number of
cases: it holds the batches in flight and the one in use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.training.shards import Shards

READ_THREADS = 4
"""Number of threads that read. They wait for the disk, so it does not depend on the number of cores
and changes no result.
"""
AHEAD = 2
"""Batches in flight."""


def staging_buffer(shape: tuple[int, ...], device: torch.device) -> torch.Tensor:
    """An empty float16 tensor on the CPU; pinned where ``device`` is a GPU, so that copies overlap
    with the arithmetic.
    """
    return torch.empty(shape, dtype=torch.float16, pin_memory=device.type == "cuda")


@dataclass(frozen=True)
class _Loaded:
    """A batch that has arrived."""

    images: torch.Tensor
    """On the device of the arithmetic."""
    buffer: torch.Tensor | None
    """The buffer that holds ``images``, where they were not copied to a device: free again once the
    batch has been used.
    """


class Streamed:
    """Volumes read as they are asked for."""

    def __init__(self, shards: Shards, places: NDArray[np.int64], device: torch.device) -> None:
        """Stream volumes of ``shards``; ``places`` (``[cases, 2]``) holds file and row."""
        self._shards = shards
        self._places = places
        self._device = device

    def stream(self, batches: Sequence[NDArray[np.int64]]) -> Iterator[torch.Tensor]:
        """Yield the images of each batch, float16 ``[batch, 1, *shape]``; each is valid until the
        next is requested.

        Raises:
            KneeoaError: a file has become shorter.
        """
        if not len(batches):
            return
        size = max(len(rows) for rows in batches)
        free: SimpleQueue[torch.Tensor] = SimpleQueue()
        for _ in range(AHEAD + 1):
            free.put(staging_buffer((size, 1, *self._shards.shape), self._device))
        copies = torch.cuda.Stream(self._device) if self._device.type == "cuda" else None  # type: ignore[no-untyped-call]
        with ThreadPoolExecutor(READ_THREADS) as read_threads, ThreadPoolExecutor(AHEAD) as loaders:

            def load(rows: NDArray[np.int64]) -> _Loaded:
                buffer = free.get()
                list(read_threads.map(self._read, rows, buffer[: len(rows)]))
                if copies is None:
                    return _Loaded(buffer[: len(rows)], buffer)
                with torch.cuda.stream(copies):
                    images = buffer[: len(rows)].to(self._device, non_blocking=True)
                    done = copies.record_event()
                done.synchronize()  # in this thread; the arithmetic goes on
                free.put(buffer)
                return _Loaded(images, None)

            coming: deque[Future[_Loaded]] = deque(loaders.submit(load, rows) for rows in batches[:AHEAD])
            following = iter(batches[AHEAD:])
            try:
                while coming:
                    loaded = coming.popleft().result()
                    coming.extend(loaders.submit(load, rows) for rows in islice(following, 1))
                    if copies is not None:  # its memory was taken on the copying stream and is used on this one
                        loaded.images.record_stream(torch.cuda.current_stream(self._device))
                    yield loaded.images
                    if loaded.buffer is not None:
                        free.put(loaded.buffer)
            finally:  # the caller may stop early
                for future in coming:
                    future.cancel()

    def _read(self, row: int, target: torch.Tensor) -> None:
        file, place = self._places[row]
        self._shards.read_into(file, place, target[0].numpy())
