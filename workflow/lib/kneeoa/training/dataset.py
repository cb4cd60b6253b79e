"""The cases of one split in memory: one tensor of images, one of labels per level."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from kneeoa.training.labels import LevelLabels
from kneeoa.training.shards import Shards


@dataclass(frozen=True)
class Dataset:
    """Cases in the order of (cohort, case_id), whatever files they came from; training shuffles them anew each epoch."""

    cases: pd.DataFrame
    """Columns of SPLITS, one row per case."""
    images: torch.Tensor
    """float16 ``[cases, 1, *shape]``, as stored: half the memory of float32, and each batch is widened as it is taken."""
    labels: dict[str, torch.Tensor]
    """int64 ``[cases]`` (or ``[cases, findings]``) per level, -1 where missing."""

    def __len__(self) -> int:
        return len(self.cases)

    def batch(self, rows: NDArray[np.int64], device: torch.device) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Images (float32 ``[batch, 1, *shape]``) and labels of the cases at ``rows``, on ``device``."""
        images = torch.stack([self.images[row].to(device, non_blocking=True) for row in rows]).float()
        index = torch.from_numpy(rows)
        return images, {level: values[index].to(device) for level, values in self.labels.items()}

    def names(self, rows: NDArray[np.int64]) -> str:
        """The cases at ``rows`` as people read them: cohort/case_id, ..."""
        chosen = self.cases.iloc[rows]
        return ", ".join(f"{cohort}/{case_id}" for cohort, case_id in zip(chosen["cohort"], chosen["case_id"], strict=True))

    def digest(self) -> str:
        """Hexadecimal SHA-256 of what a run learns from: case names, splits, labels and voxels."""
        state = hashlib.sha256(self.cases[["cohort", "case_id", "split"]].to_csv(index=False).encode())
        for level, values in sorted(self.labels.items()):
            state.update(level.encode() + values.numpy().tobytes())
        state.update(str(tuple(self.images.shape)).encode())
        for image in self.images.numpy():
            state.update(memoryview(image).cast("B"))
        return state.hexdigest()


def gather(shards: Shards, cases: pd.DataFrame, labels: Mapping[str, LevelLabels], split: str, device: torch.device) -> Dataset:
    """The cases of ``split`` with a label at one of the levels in ``labels`` at least.

    Args:
        shards: where the volumes are.
        cases: as :meth:`Shards.locate` returns them.
        labels: labels of ``cases`` at the supervising levels.
        split: train, val or test.
        device: where batches will go; for CUDA the images lie in pinned memory, from which copies run beside the arithmetic.
    """
    known = np.any([level.known() for level in labels.values()], axis=0)
    chosen = np.flatnonzero((cases["split"] == split).to_numpy() & known)
    table = cases.iloc[chosen].reset_index(drop=True)
    images = torch.empty((len(table), 1, *shards.shape), dtype=torch.float16, pin_memory=device.type == "cuda")
    target = images.numpy()
    for position, (file, row) in enumerate(zip(table["file"], table["row"], strict=True)):
        target[position, 0] = shards.read(file, row)
    values = {name: torch.from_numpy(level.values[chosen]) for name, level in labels.items()}
    return Dataset(table.drop(columns=["file", "row"]), images, values)
