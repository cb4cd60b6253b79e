"""Images of a split kept in memory for the whole run: on a GPU, the device's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.training.shards import Shards
from kneeoa.training.streaming import READ_THREADS, staging_buffer


class Resident:
    """Images of all cases, float16 ``[cases, 1, *shape]``, read once."""

    def __init__(self, shards: Shards, places: NDArray[np.int64], device: torch.device) -> None:
        """Read the volumes at ``places`` (``[cases, 2]``: file and row) onto ``device``, several at
        a time.

        Raises:
            KneeoaError: a file has become shorter.
        """
        self.images = torch.empty((len(places), 1, *shards.shape), dtype=torch.float16, device=device)
        on_device = device.type == "cuda"
        buffer = staging_buffer((READ_THREADS, *shards.shape), device) if on_device else None

        def read(position: int) -> None:
            """Read one case; for a device's memory through a buffer, each of the cases that are
            read at the same time through another.
            """
            target = self.images[position, 0] if buffer is None else buffer[position % READ_THREADS]
            file, row = places[position]
            shards.read_into(file, row, target.numpy())

        with ThreadPoolExecutor(READ_THREADS) as read_threads:
            for start in range(0, len(places), READ_THREADS):
                together = range(start, min(start + READ_THREADS, len(places)))
                list(read_threads.map(read, together))
                if buffer is not None:
                    self.images[start : together.stop, 0].copy_(buffer[: len(together)])

    def stream(self, batches: Sequence[NDArray[np.int64]]) -> Iterator[torch.Tensor]:
        """Yield the images of each batch, float16 ``[batch, 1, *shape]``."""
        for rows in batches:
            yield self.images.index_select(0, torch.from_numpy(rows).to(self.images.device))
