from __future__ import annotations

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.shards import VOLUMES
from kneeoa.training.shards import Shards
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import SHAPE


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"))


def test_cases_are_sorted_and_read_from_their_own_rows(files):
    shards = Shards(files.arrays, files.indices, SHAPE)
    cases = shards.locate(files.splits)
    assert len(cases) == 40
    assert cases[["cohort", "case_id"]].equals(cases[["cohort", "case_id"]].sort_values(["cohort", "case_id"], ignore_index=True))
    assert cases.equals(Shards(files.arrays, files.indices, SHAPE).locate(files.splits[::-1]))
    third = cases.iloc[3]  # north/1003: grade 3, shard 1, row 1
    assert np.array_equal(shards.read(third["file"], third["row"]), np.load(files.arrays[1])[1])


def test_an_empty_shard_is_fine(files, tmp_path):
    np.save(tmp_path / "empty.npy", np.zeros((0, *SHAPE), dtype=np.float16))
    VOLUMES.write(tmp_path / "empty.parquet", [])
    shards = Shards([*files.arrays, tmp_path / "empty.npy"], [*files.indices, tmp_path / "empty.parquet"], SHAPE)
    assert len(shards.locate(files.splits)) == 40


def test_an_index_of_another_length_is_refused(files):
    with pytest.raises(KneeoaError, match="its own"):
        Shards(files.arrays, files.indices[:-1], SHAPE)


def test_a_row_is_read_from_the_disk_as_it_is_mapped(files):
    shards = Shards(files.arrays, files.indices, SHAPE)
    target = np.empty(SHAPE, dtype=np.float16)
    for file, row in ((0, 0), (1, 3), (2, 9)):
        shards.read_into(file, row, target)
        assert np.array_equal(target, shards.read(file, row))


def test_a_file_that_became_shorter_is_named(files, tmp_path):
    copy = tmp_path / "copy.npy"
    copy.write_bytes(files.arrays[0].read_bytes())
    shards = Shards([copy], files.indices[:1], SHAPE)
    with copy.open("r+b") as stream:
        stream.truncate(copy.stat().st_size - 10)
    with pytest.raises(KneeoaError, match=r"copy\.npy: ends within row 9"):
        shards.read_into(0, 9, np.empty(SHAPE, dtype=np.float16))


def test_fortran_order_is_refused(files, tmp_path):
    np.save(tmp_path / "fortran.npy", np.asfortranarray(np.load(files.arrays[0])))
    with pytest.raises(KneeoaError, match="Fortran"):
        Shards([tmp_path / "fortran.npy"], files.indices[:1], SHAPE)


def test_an_array_that_does_not_fit_its_index_is_refused(files, tmp_path):
    np.save(tmp_path / "short.npy", np.load(files.arrays[0])[1:])
    with pytest.raises(KneeoaError, match=r"short\.npy: holds 9 rows.*lists 10"):
        Shards([tmp_path / "short.npy"], files.indices[:1], SHAPE)


def test_float64_and_pickled_arrays_are_refused(tmp_path, files):
    np.save(tmp_path / "double.npy", np.zeros((10, *SHAPE)))
    with pytest.raises(KneeoaError, match="float64"):
        Shards([tmp_path / "double.npy"], files.indices[:1], SHAPE)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(KneeoaError, match="cannot be read"):
        Shards([tmp_path / "objects.npy"], files.indices[:1], SHAPE)


def test_a_case_twice_or_nowhere_is_refused(files, tmp_path):
    with pytest.raises(KneeoaError, match="twice"):
        Shards(files.arrays[:1] * 2, files.indices[:1] * 2, SHAPE)
    with pytest.raises(KneeoaError, match=r"10 cases .* first 1001-R-00m of cohort north"):
        Shards(files.arrays[:1], files.indices[:1], SHAPE).locate(files.splits[:1])
    SPLITS.write(tmp_path / "none.parquet", [])
    with pytest.raises(KneeoaError, match="no case"):
        Shards(files.arrays, files.indices, SHAPE).locate([tmp_path / "none.parquet"])
