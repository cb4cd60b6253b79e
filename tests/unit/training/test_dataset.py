from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from kneeoa.errors import KneeoaError
from kneeoa.labels.level_labels import read_labels
from kneeoa.tables.shards import VOLUMES
from kneeoa.training import image_storage
from kneeoa.training.dataset import evaluation_batches, select_split, training_batches
from kneeoa.training.image_storage import choose_storage, free_memory
from kneeoa.training.shards import Shards
from tests.suites import LAST_RESORT
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import LEVELS, SHAPE

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"))


def dataset(files, data="auto", split="train"):
    shards = Shards(files.arrays, files.indices, SHAPE)
    cases = shards.locate(files.splits)
    return select_split(shards, cases, read_labels(files.labels, cases, LEVELS), split, CPU, data)


def test_images_are_with_their_labels(files):
    data = dataset(files, split="val")
    assert set(data.cases["split"]) == {"val"}
    (batch,) = data.stream([np.arange(10)], CPU)
    assert batch.images.shape == (10, 1, *SHAPE)
    assert batch.images.dtype == torch.float16
    centre = batch.images[:, 0, 3:5, 6:10, 6:10].float().mean(dim=(1, 2, 3))
    assert torch.equal(centre.round().long() + 2, batch.labels["kl"])  # the planted signal
    (two,) = data.stream([np.array([4, 0])], CPU)
    assert torch.equal(two.images, batch.images[[4, 0]])
    assert two.labels["kl"].tolist() == [int(data.labels["kl"][4]), int(data.labels["kl"][0])]


@pytest.mark.parametrize("size", [1, 3, 4, 50])
def test_streamed_and_resident_see_the_same_bytes_in_the_same_order(files, size):
    resident, streamed = dataset(files, "resident"), dataset(files, "streamed")
    assert (resident.storage, streamed.storage) == ("resident", "streamed")
    batches = training_batches(len(resident), size, seed=1, epoch=1)
    count = 0
    for one, other in zip(resident.stream(batches, CPU), streamed.stream(batches, CPU), strict=True):
        assert torch.equal(one.images, other.images)
        assert np.array_equal(one.rows, other.rows)
        assert {name: values.tolist() for name, values in one.labels.items()} == {n: v.tolist() for n, v in other.labels.items()}
        count += len(one.rows)
    assert count == len(resident)


def test_an_epoch_can_be_taken_up_at_any_batch(files):
    data = dataset(files, "streamed")
    batches = training_batches(len(data), 3, seed=1, epoch=1)
    whole = [batch.images.clone() for batch in data.stream(batches, CPU)]
    late = [batch.images.clone() for batch in data.stream(batches[4:], CPU)]
    assert all(torch.equal(one, other) for one, other in zip(whole[4:], late, strict=True))
    assert list(data.stream([], CPU)) == []


def test_streaming_holds_a_few_batches_whatever_the_number_of_cases(files, monkeypatch):
    made = []

    def counted(shape, device):
        made.append(shape)
        return torch.empty(shape, dtype=torch.float16)

    monkeypatch.setattr(image_storage, "staging_buffer", counted)
    data = dataset(files, "streamed")
    addresses = {batch.images.data_ptr() for batch in data.stream([np.array([row]) for row in range(len(data))], CPU)}
    assert made == [(1, 1, *SHAPE)] * (image_storage.AHEAD + 1)
    assert len(addresses) <= image_storage.AHEAD + 1 < len(data)


def test_the_coming_batches_are_read_while_this_one_is_used(files, monkeypatch):
    """No more than two ahead, which are there before they are asked for."""
    read, reached = [], threading.Event()
    plain = Shards.read_into

    def watched(self, file, row, target):
        plain(self, file, row, target)
        read.append(row)
        if len(read) == 3:
            reached.set()

    monkeypatch.setattr(Shards, "read_into", watched)
    coming = dataset(files, "streamed").stream([np.array([row]) for row in range(9)], CPU)
    next(coming)
    assert reached.wait(LAST_RESORT)
    assert len(read) == 3
    coming.close()


def test_leaving_early_ends_the_threads(files):
    before = threading.active_count()
    coming = dataset(files, "streamed").stream([np.arange(2)] * 20, CPU)
    next(coming)
    assert threading.active_count() > before
    del coming
    assert threading.active_count() == before


def test_a_read_that_fails_ends_the_run_with_its_sentence(files, monkeypatch):
    def fails(self, file, row, target):
        raise KneeoaError("shard-3.npy: ends within row 1; make it again.")

    monkeypatch.setattr(Shards, "read_into", fails)
    with pytest.raises(KneeoaError, match="shard-3"):
        list(dataset(files, "streamed").stream([np.arange(4)], CPU))


def test_the_digest_sees_voxels_labels_and_names_and_not_where_they_lie(files, tmp_path):
    index = VOLUMES.read(files.indices[0])
    index.loc[0, "digest"] = "another"
    VOLUMES.write(tmp_path / "north-0.parquet", index)
    other = tiny_study.Files(files.arrays, [tmp_path / "north-0.parquet", *files.indices[1:]], files.splits, files.labels)
    parts = [dataset(other, "resident"), *(dataset(files, "resident") for _ in range(3))]
    parts[1].labels["oa"][0] = -1
    parts[2].cases.loc[0, "case_id"] = "another"
    assert len({part.digest() for part in parts}) == 4
    assert dataset(files, "streamed").digest() == parts[3].digest()


def test_auto_is_resident_where_a_share_of_the_free_memory_is_enough(monkeypatch):
    monkeypatch.setattr(image_storage, "free_memory", lambda device: 1000)
    assert choose_storage("auto", 300, CPU) == "resident"
    assert choose_storage("auto", 301, CPU) == "streamed"
    assert choose_storage("streamed", 1, CPU) == "streamed"
    assert choose_storage("resident", 10**15, CPU) == "resident"


def test_free_memory_is_within_the_machines():
    import os

    assert 0 < free_memory(CPU) <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_the_tightest_group_on_the_way_up_counts(tmp_path, monkeypatch):
    (tmp_path / "job" / "step").mkdir(parents=True)
    for folder, limit, usage in ((tmp_path / "job" / "step", "max", "5"), (tmp_path / "job", "1000", "100"), (tmp_path, "5000", "600")):
        (folder / "memory.max").write_text(limit + "\n")
        (folder / "memory.current").write_text(usage + "\n")
    monkeypatch.setattr(image_storage, "CGROUPS", ((tmp_path, "memory.max", "memory.current"), image_storage.CGROUPS[1]))
    assert image_storage._free_by_control_group("0::/job/step\n9:cpu:/other\n") == [900, 4400]


@pytest.mark.parametrize(
    ("cases", "size", "sizes"),
    [(8, 4, [4, 4]), (10, 4, [4, 4, 2]), (9, 4, [4, 5]), (5, 4, [5]), (3, 8, [3]), (3, 1, [1, 1, 1]), (1, 4, [1])],
)
def test_every_case_once_and_no_last_batch_of_one(cases, size, sizes):
    batches = training_batches(cases, size, seed=1, epoch=1)
    assert [len(batch) for batch in batches] == sizes
    assert sorted(np.concatenate(batches)) == list(range(cases))


def test_the_order_follows_seed_and_epoch():
    def order(seed, epoch):
        return tuple(np.concatenate(training_batches(50, 8, seed, epoch)))

    assert order(1, 1) == order(1, 1)
    assert len({order(1, 1), order(1, 2), order(2, 1), tuple(range(50))}) == 4


def test_evaluation_keeps_the_order():
    assert [list(batch) for batch in evaluation_batches(5, 2)] == [[0, 1], [2, 3], [4]]
    assert evaluation_batches(0, 2) == []
