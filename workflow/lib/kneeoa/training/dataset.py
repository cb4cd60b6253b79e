"""The cases of one split: their images, resident or streamed, one tensor of labels per level, and
their division into batches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from kneeoa.labels.level_labels import LevelLabels
from kneeoa.training.image_storage import Resident, Storage, Streamed, choose_storage
from kneeoa.training.seeding import Purpose, generator
from kneeoa.training.shards import Shards


def evaluation_batches(cases: int, size: int) -> list[NDArray[np.int64]]:
    """Batches of ``size`` for evaluation: positions 0 to ``cases`` - 1 in order; the last may be
    shorter.
    """
    positions = np.arange(cases, dtype=np.int64)
    return [positions[start : start + size] for start in range(0, cases, size)]


def training_batches(cases: int, size: int, seed: int, epoch: int, whole: int | None = None) -> list[NDArray[np.int64]]:
    """Batches of ``size`` for training: positions 0 to ``cases`` - 1 in the order of this seed and
    epoch.

    A last batch of a single case joins the one before it, since batch normalisation has no variance
    over one case (unless ``size`` is 1).

    Args:
        cases: number of cases.
        size: of a batch.
        seed: of the run.
        epoch: from 1.
        whole: number of batches that are kept, of which the last may be short; all others' cases
            are left out. None: every batch.
    """
    order = generator(seed, Purpose.ORDER, epoch).permutation(cases)
    batches = [order[rows] for rows in evaluation_batches(cases, size)][:whole]
    if size > 1 and len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [np.concatenate(batches[-2:])]
    return batches


@dataclass(frozen=True)
class Batch:
    """Images and labels of some cases, on the device of the arithmetic."""

    rows: NDArray[np.int64]
    """Their positions in the split."""
    images: torch.Tensor
    """float16 ``[batch, 1, *shape]``, as stored: half the memory of float32. Each micro-batch is
    converted when it is used.
    """
    labels: dict[str, torch.Tensor]
    """int64 ``[batch]`` (or ``[batch, findings]``) per level, -1 where missing."""


@dataclass(frozen=True)
class Dataset:
    """Cases in the order of (cohort, case_id), whatever files they came from; training shuffles
    them anew each epoch.
    """

    cases: pd.DataFrame
    """Columns of SPLITS, one row per case."""
    images: Resident | Streamed
    """The images, in memory or on disk; both give the same bytes."""
    labels: dict[str, torch.Tensor]
    """int64 ``[cases]`` (or ``[cases, findings]``) per level, -1 where missing."""
    voxels: tuple[str, ...]
    """The digest of each case's image as its shard's index has it."""

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def storage(self) -> Storage:
        """Whether the images are resident or streamed."""
        return "resident" if isinstance(self.images, Resident) else "streamed"

    def stream(self, batches: Sequence[NDArray[np.int64]], device: torch.device) -> Iterator[Batch]:
        """Yield the cases at the rows of each of ``batches``, in that order; the images of a batch
        are valid until the next is requested.

        Raises:
            KneeoaError: a file of images has become shorter.
        """
        for rows, images in zip(batches, self.images.stream(batches), strict=True):
            index = torch.from_numpy(rows)
            yield Batch(rows, images, {level: values[index].to(device) for level, values in self.labels.items()})

    def names(self, rows: NDArray[np.int64]) -> str:
        """Names of the cases at ``rows``: cohort/case_id, ..."""
        chosen = self.cases.iloc[rows]
        return ", ".join(f"{cohort}/{case_id}" for cohort, case_id in zip(chosen["cohort"], chosen["case_id"], strict=True))

    def digest(self) -> str:
        """Hexadecimal SHA-256 of a run's data: case names, splits, labels, and the digests of its
        images from their index.
        """
        state = hashlib.sha256(self.cases[["cohort", "case_id", "split"]].to_csv(index=False).encode())
        for level, values in sorted(self.labels.items()):
            state.update(level.encode() + values.numpy().tobytes())
        state.update("\n".join(self.voxels).encode())
        return state.hexdigest()


def select_split(
    shards: Shards,
    cases: pd.DataFrame,
    labels: Mapping[str, LevelLabels],
    split: str,
    device: torch.device,
    data: Literal["auto", "resident", "streamed"] = "auto",
) -> Dataset:
    """The cases of ``split`` that have a label at one or more of the levels in ``labels``.

    Args:
        shards: the volumes.
        cases: as :meth:`Shards.locate` returns them.
        labels: labels of ``cases`` at the supervising levels.
        split: train, val or test.
        device: where the arithmetic is.
        data: where the images are kept; auto: resident where they fit (see :func:`choose_storage`).

    Raises:
        KneeoaError: a file of images has become shorter.
    """
    labelled = np.any([level.labelled() for level in labels.values()], axis=0)
    chosen = np.flatnonzero((cases["split"] == split).to_numpy() & labelled)
    table = cases.iloc[chosen].reset_index(drop=True)
    places = table[["file", "row"]].to_numpy(dtype=np.int64)
    size = len(table) * int(np.prod(shards.shape)) * np.dtype(np.float16).itemsize
    store = Resident if choose_storage(data, size, device) == "resident" else Streamed
    values = {name: torch.from_numpy(level.values[chosen]) for name, level in labels.items()}
    return Dataset(table.drop(columns=["file", "row", "digest"]), store(shards, places, device), values, tuple(table["digest"]))
