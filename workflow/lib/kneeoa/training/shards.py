"""Memory-mapped shards of volumes of several cohorts, and each case's file and row in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError, rerun_hint
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.shards import VOLUMES

KEY = ["cohort", "case_id"]


class Shards:
    """Volumes on disk, read on demand, one case at a time."""

    def __init__(self, arrays: Sequence[Path], indices: Sequence[Path], shape: Sequence[int]) -> None:
        """Open ``arrays`` (float16 ``.npy``, ``[rows, *shape]``); ``indices[i]`` is the VOLUMES
        table of ``arrays[i]``.

        Raises:
            KneeoaError: the lists differ in length, an array is not of ``shape`` or not as long as
                its index, a case occurs twice.
        """
        if len(arrays) != len(indices):
            raise KneeoaError(f"There are {len(arrays)} arrays but {len(indices)} index tables; each array needs its own.")
        self.shape = tuple(shape)
        self._paths = [Path(path) for path in arrays]
        self._arrays = [_open(path, self.shape) for path in self._paths]
        rows = []
        for number, (array, path) in enumerate(zip(self._arrays, indices, strict=True)):
            index = VOLUMES.read(path)
            if len(index) != len(array) or set(index["row"]) != set(range(len(array))):
                raise KneeoaError(
                    f"{arrays[number]}: holds {len(array)} rows, but its index {path} lists {len(index)}; {rerun_hint(path)}."
                )
            rows.append(index[[*KEY, "view", "row", "digest"]].assign(file=number))
        self._places = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=[*KEY, "view", "row", "digest", "file"])
        repeated = self._places.duplicated(KEY)
        if repeated.any():
            first = self._places.loc[repeated].iloc[0]
            raise KneeoaError(f"Case {first['case_id']} of cohort {first['cohort']} lies in the arrays twice; a run takes one view.")

    def locate(self, splits: Sequence[Path]) -> pd.DataFrame:
        """Locate every case of the SPLITS tables; sorted by cohort and case_id, whatever the order
        of files.

        Returns:
            The columns of SPLITS and ``file``, ``row``, ``digest`` (of the volume as stored).

        Raises:
            KneeoaError: there is no case, or one has no volume.
        """
        cases = SPLITS.concat([Path(path) for path in splits])
        if cases.empty:
            raise KneeoaError("The split tables hold no case; check the cohorts' exclusions tables for the reasons.")
        placed = cases.merge(self._places[[*KEY, "file", "row", "digest"]], on=KEY, how="left", validate="one_to_one")
        lost = placed["row"].isna()
        if lost.any():
            first = placed.loc[lost].iloc[0]
            raise KneeoaError(
                f"{int(lost.sum())} cases of the split tables have no volume in the arrays given, first {first['case_id']} of cohort "
                f"{first['cohort']}; give the arrays of all cohorts, or make the split again."
            )
        placed = placed.astype({"file": np.int64, "row": np.int64})
        return placed.sort_values(KEY, kind="stable", ignore_index=True)

    def read(self, file: int, row: int) -> NDArray[np.float16]:
        """Read one volume as stored, shape ``shape``: a view of the memory map."""
        volume: NDArray[np.float16] = self._arrays[file][row]
        return volume

    def read_into(self, file: int, row: int, target: NDArray[np.float16]) -> None:
        """Copy one volume's bytes from the disk into ``target`` (shape ``shape``, contiguous);
        several threads may do so at once.

        The file is read, not mapped: the thread then does not hold Python's lock, and memory that
        was read once is not counted as the process's.

        Raises:
            KneeoaError: the file has become shorter than it was when it was opened.
        """
        array = self._arrays[file]
        with open(self._paths[file], "rb") as stream:
            stream.seek(array.offset + row * target.nbytes)
            if stream.readinto(target.data.cast("B")) != target.nbytes:
                raise KneeoaError(f"{self._paths[file]}: ends within row {row}; {rerun_hint(self._paths[file])}.")


def _open(path: Path, shape: tuple[int, ...]) -> np.memmap[Any, np.dtype[np.float16]]:
    try:
        array: np.memmap[Any, np.dtype[np.float16]] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{path}: cannot be read as an array ({error}); {rerun_hint(path)}.") from error
    if array.dtype != np.float16 or array.shape[1:] != shape:
        raise KneeoaError(f"{path}: holds {array.dtype} volumes of shape {array.shape[1:]}, but the model takes float16 of shape {shape}.")
    if not array.flags.c_contiguous:
        raise KneeoaError(f"{path}: its rows do not lie one after the other (Fortran order); {rerun_hint(path)}.")
    return array
