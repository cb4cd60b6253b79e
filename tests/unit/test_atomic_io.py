"""Atomic writes: a killed or failing job leaves nothing that looks finished."""

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kneeoa.atomic_io import atomic_path, digest, sha256_file, write_json
from tests.suites import LAST_RESORT


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


@dataclass
class Writers:
    """Processes that hold their temporaries of ``target`` open until they are let go."""

    target: Path
    children: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._until, self._gate = os.pipe()

    def begin(self, text: str) -> int:
        """One more; its process id."""
        child = os.fork()
        if child == 0:
            os.close(self._gate)
            with atomic_path(self.target) as temporary:
                temporary.write_text(text)
                os.read(self._until, 1)  # returns when all other ends of the pipe are closed
            os._exit(0)
        self.children.append(child)
        return child

    def end(self) -> list[int]:
        """Let all go; their exit statuses."""
        os.close(self._gate)
        os.close(self._until)
        return [os.waitpid(child, 0)[1] for child in self.children]


def hidden(folder: Path, count: int) -> list[str]:
    """The hidden files of a folder, once there are ``count`` of them that are not empty."""
    end = time.monotonic() + LAST_RESORT
    while True:
        names = sorted(path.name for path in folder.iterdir() if path.name.startswith(".") and path.stat().st_size)
        if len(names) == count:
            return names
        assert time.monotonic() < end, f"{len(names)} temporaries, not {count}"
        time.sleep(0.01)


def test_what_a_killed_writer_left_goes_with_the_next_write_of_that_file(tmp_path: Path) -> None:
    target = tmp_path / "shard-1.parquet"
    writers = Writers(target)
    child = writers.begin("half")
    (abandoned,) = hidden(tmp_path, 1)
    os.kill(child, signal.SIGKILL)
    assert writers.end() == [signal.SIGKILL]
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
    writers = Writers(target)
    writers.begin("slow")
    (busy,) = hidden(tmp_path, 1)
    with atomic_path(target) as temporary:
        temporary.write_text("quick")
    assert target.read_text() == "quick"
    assert (tmp_path / busy).exists()
    assert writers.end() == [0]
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
    writers = Writers(target)
    for number in range(6):
        writers.begin(str(number) * 5000)
    hidden(tmp_path, 6)
    assert writers.end() == [0] * 6
    text = target.read_text()
    assert len(text) == 5000
    assert len(set(text)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
