"""The list of a cohort's shards: what it names is found from anywhere, and it changes exactly with
what the shards hold.
"""

from pathlib import Path

import pytest

from kneeoa.errors import KneeoaError
from kneeoa.ingestion.shard_list import list_shards, listed_shards


def made(folder: Path) -> tuple[list[Path], list[Path]]:
    folder.mkdir(parents=True)
    arrays, indices = ([folder / f"shard-{number}.{suffix}" for number in (0, 1)] for suffix in ("npy", "parquet"))
    for file in (*arrays, *indices):
        file.write_text(file.name)
    return arrays, indices


def test_arrays_and_indices_come_back_in_order_from_several_lists(tmp_path: Path) -> None:
    one, two = made(tmp_path / "one"), made(tmp_path / "two")
    lists = [tmp_path / "one/shards.json", tmp_path / "lists/two.json"]
    for files, out in zip((one, two), lists, strict=True):
        list_shards(*files, out)
    assert listed_shards(lists) == (one[0] + two[0], one[1] + two[1])


def test_it_changes_with_an_index_and_not_with_where_it_lies_or_when_it_was_made(tmp_path: Path) -> None:
    texts = []
    for name in ("one", "two"):
        arrays, indices = made(tmp_path / name)
        list_shards(arrays, indices, tmp_path / name / "shards.json")
        texts.append((tmp_path / name / "shards.json").read_text())
    assert texts[0] == texts[1]
    indices[1].write_text("another row")
    list_shards(arrays, indices, tmp_path / "two/shards.json")
    assert (tmp_path / "two/shards.json").read_text() != texts[0]


def test_what_is_gone_or_no_list_is_named(tmp_path: Path) -> None:
    arrays, indices = made(tmp_path / "one")
    out = tmp_path / "one/shards.json"
    list_shards(arrays, indices, out)
    arrays[1].unlink()
    with pytest.raises(KneeoaError, match=r"names shard-1\.npy, which is gone \(1 files are\)"):
        listed_shards([out])
    out.write_text("[]")
    with pytest.raises(KneeoaError, match="is not a list of shards"):
        listed_shards([out])
