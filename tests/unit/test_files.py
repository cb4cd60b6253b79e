"""Atomic writes: a killed or failing job leaves nothing that looks finished."""

import os
import signal
import time
from pathlib import Path

import pytest

from kneeoa.files import atomic_path, digest, sha256_file, write_json


def test_a_failing_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def half_a_write() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_a_write()
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_the_temporary_name_keeps_the_suffixes_that_writers_look_at(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.nii.gz") as temporary:
        assert temporary.name.endswith(".nii.gz")
        temporary.write_bytes(b"1")
    assert (tmp_path / "a.nii.gz").read_bytes() == b"1"


def test_files_are_readable_by_colleagues(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": [1, 2]})
    assert (tmp_path / "a.json").stat().st_mode & 0o044
    assert (tmp_path / "a.json").read_text() == '{\n  "a": [\n    1,\n    2\n  ],\n  "b": 1\n}\n'


def test_digests_depend_on_content_alone(tmp_path: Path) -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
    (tmp_path / "x").write_bytes(b"")
    assert sha256_file(tmp_path / "x") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def writer(target: Path, text: str, wait: float) -> int:
    """A process that holds its temporary of ``target`` open for some seconds."""
    child = os.fork()
    if child == 0:
        with atomic_path(target) as temporary:
            temporary.write_text(text)
            time.sleep(wait)
        os._exit(0)
    return child


def hidden(folder: Path, count: int) -> list[str]:
    """The hidden files of a folder, once there are ``count`` of them that are not empty."""
    for _ in range(500):
        found = sorted(path.name for path in folder.iterdir() if path.name.startswith(".") and path.stat().st_size)
        if len(found) == count:
            break
        time.sleep(0.01)
    assert len(found) == count
    return found


def test_what_a_killed_writer_left_goes_with_the_next_write_of_that_file(tmp_path: Path) -> None:
    target = tmp_path / "shard-1.parquet"
    child = writer(target, "half", 60)
    (abandoned,) = hidden(tmp_path, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    # Files of other targets and of other programs are not ours to remove, however alike they look.
    others = [".shard-1.parquet.swp", ".shard-11.parquet.abcd1234.parquet", ".shard-1.exclusions.parquet.abcd1234.exclusions.parquet"]
    for name in others:
        (tmp_path / name).write_text("x")
    assert (tmp_path / abandoned).exists()
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, target.name])


def test_a_writer_that_is_alive_keeps_its_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    child = writer(target, "slow", 1.0)
    (busy,) = hidden(tmp_path, 1)
    with atomic_path(target) as temporary:
        temporary.write_text("quick")
    assert target.read_text() == "quick"
    assert (tmp_path / busy).exists()
    assert os.waitpid(child, 0)[1] == 0
    assert target.read_text() == "slow"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_bytes_are_on_the_disk_before_they_take_the_final_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append(os.fstat(handle).st_size), sync(handle)))
    monkeypatch.setattr(os, "replace", lambda old, new: (steps.append(Path(new).name), replace(old, new)))
    write_json(tmp_path / "a.json", {"a": 1})
    assert steps == [(tmp_path / "a.json").stat().st_size, "a.json"]


def test_several_writers_of_one_file_never_mix(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    children = [writer(target, str(number) * 5000, 0.01 * number) for number in range(6)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    text = target.read_text()
    assert len(text) == 5000
    assert len(set(text)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
