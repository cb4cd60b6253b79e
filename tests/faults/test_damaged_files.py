"""A file that the workflow made, damaged on the disk: the job that reads it names it and what to
type; a damaged state is not used.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kneeoa.errors import KneeoaError
from kneeoa.network.model import load
from kneeoa.training import checkpoint, run
from tests.training.killed import results
from tests.unit.training import tiny_study


def cut(path: Path) -> None:
    """Lose the second half."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def changed(path: Path) -> None:
    """One bit is another, far behind the header."""
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 1
    path.write_bytes(content)


def overwritten(path: Path) -> None:
    """Other bytes from the beginning on."""
    path.write_bytes(b"\xa5" * path.stat().st_size)


Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[tiny_study.Files, Path]:
    """A tiny study, and its run with the state that it ended in."""
    folder = tmp_path_factory.mktemp("finished")
    files = tiny_study.make(folder / "study")
    run.train(**tiny_study.job(files, folder / "run", keep_state=True))
    return files, folder / "run"


def refused(path: Path) -> str:
    """The sentence names the file, and the words that make it again."""
    return rf"{path.name}.*--force \S*{path.name}"


@pytest.mark.parametrize("damage", [cut, overwritten])
@pytest.mark.parametrize("kind", ["arrays", "indices", "splits", "labels"])
def test_training_names_the_damaged_file(finished: tuple[tiny_study.Files, Path], tmp_path: Path, kind: str, damage: Damage) -> None:
    files, _ = finished
    victim = Path(shutil.copy(getattr(files, kind)[0], tmp_path))
    damage(victim)
    with pytest.raises(KneeoaError, match=refused(victim)):
        run.train(**tiny_study.job(replace(files, **{kind: [victim, *getattr(files, kind)[1:]]}), tmp_path / "run"))
    assert results(tmp_path / "run") == {}


@pytest.mark.parametrize("damage", [cut, changed, overwritten])
def test_damaged_weights_are_never_used(finished: tuple[tiny_study.Files, Path], tmp_path: Path, damage: Damage) -> None:
    folder = Path(shutil.copytree(finished[1], tmp_path / "run"))
    damage(folder / "weights.safetensors")
    with pytest.raises(KneeoaError, match=refused(folder / "weights.safetensors")):
        load(folder)


@pytest.mark.parametrize("damage", [cut, changed, overwritten])
def test_a_damaged_state_is_left_alone_and_the_run_begins_afresh(
    finished: tuple[tiny_study.Files, Path], tmp_path: Path, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    files, whole = finished
    tmp_path.joinpath(checkpoint.NAME).write_bytes((whole / checkpoint.NAME).read_bytes())
    damage(tmp_path / checkpoint.NAME)
    steps: list[int] = []
    with caplog.at_level(logging.WARNING, logger="kneeoa"):
        run.train(**tiny_study.job(files, tmp_path, on_step=lambda _epoch, step: steps.append(step)))
    assert "cannot be read" in caplog.text
    assert "training starts afresh" in caplog.text
    assert steps, "a run that begins afresh takes its steps"
    assert results(tmp_path) == results(whole)
