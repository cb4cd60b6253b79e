"""Images of a split during a run: resident in memory (on a GPU, the device's), or streamed from
their shards.

Of a streamed split background threads read the next batches while the present one is computed.
Bytes and their order are those of a resident split; memory does not depend on the number of cases:
it holds the batches in flight and the one in use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.training.shards import Shards

Storage = Literal["resident", "streamed"]

SHARE = 0.3
"""Share of the free memory at the start that resident images may take; the rest is for activations,
gradients and the optimiser.
"""
CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
"""Control groups of version 2 and 1: the mount point, the file of the limit and that of the
usage.
"""

READ_THREADS = 4
"""Number of threads that read. They wait for the disk, so it does not depend on the number of cores
and changes no result.
"""
AHEAD = 2
"""Batches in flight."""


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


def choose_storage(asked: Literal["auto", "resident", "streamed"], size: int, device: torch.device) -> Storage:
    """Choose where ``size`` bytes of images are kept: as ``asked``; for auto, resident where they
    fit into :data:`SHARE` of the free memory.
    """
    if asked != "auto":
        return asked
    return "resident" if size <= SHARE * free_memory(device) else "streamed"


def free_memory(device: torch.device) -> int:
    """Free memory in bytes: on a GPU the device's; else the machine's, or what is left of the limit
    of the job's control group.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    return min([free, *_free_by_control_group(Path("/proc/self/cgroup").read_text(encoding="utf-8"))])


def _free_by_control_group(membership: str) -> list[int]:
    """Bytes left of each limit, from the process's control group up to the root; empty where no
    limit is set or visible.
    """
    left = []
    for line in membership.splitlines():
        number, controllers, path = line.split(":", 2)
        if number != "0" and "memory" not in controllers.split(","):
            continue
        mount, limit, usage = CGROUPS[0 if number == "0" else 1]
        group = mount / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(mount):
                break
            try:
                left.append(int((folder / limit).read_text()) - int((folder / usage).read_text()))
            except (OSError, ValueError):  # not mounted here, or no limit ("max")
                continue
    return left
