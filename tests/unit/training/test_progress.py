"""Progress of a run as it is shown. TensorBoard is optional, so a stand-in for its writer says what
it is given.
"""

from __future__ import annotations

import io
import logging
import sys
from types import SimpleNamespace
from typing import ClassVar

import pytest
from pydantic import ValidationError

from kneeoa.config import training as section
from kneeoa.config.training import Training
from kneeoa.training import progress
from kneeoa.training.checkpoint import Progress
from kneeoa.training.cost import Cost
from kneeoa.training.loop import EpochState, Evaluation
from kneeoa.training.progress import EventFiles, ProgressDisplay, duration
from kneeoa.training.run import train
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import TRAINING, job


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def halfway():
    tally = EpochState(step=5, sums={"total": 6.0}, counts={"total": 12})
    return Progress(epoch=1, tally=tally, cost=Cost(training=25.0, validation=5.0))


SEEN = Evaluation({"total": 0.25}, {"oa": ("auc", 0.9)})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (89, "89 s"), (600, "10 min"), (5340, "89 min"), (12000, "3 h 20 min"), (190800, "2 d 5 h")],
)
def test_durations_are_of_two_units_at_most(seconds, words):
    assert duration(seconds) == words


def test_a_log_gets_a_line_a_minute_and_one_an_epoch(clock, caplog):
    watch = ProgressDisplay("dual seed 1", 4, io.StringIO())
    state = halfway()
    with caplog.at_level(logging.INFO, logger="kneeoa"):
        for _ in range(130):
            clock.now += 1
            watch.after_step(state, 10)
        watch.after_epoch(state, {"total": 0.5}, SEEN)
    # 30 s for an epoch and a half, two and a half to go; once for one epoch, three to go
    expected = "epoch 2/4 step 5/10 train 0.5000, 50 s left"
    assert caplog.messages == [expected, expected, "epoch 1/4 train 0.5000 val 0.2500 oa auc 0.900, 2 min left"]


def test_nothing_is_drawn_where_nobody_looks(clock):
    stream = io.StringIO()
    watch = ProgressDisplay("dual seed 1", 4, stream)
    clock.now += 1
    watch.after_step(halfway(), 10)
    watch.after_epoch(halfway(), {"total": 0.5}, SEEN)
    watch.close()
    assert stream.getvalue() == ""


def test_a_terminal_gets_one_line_that_moves(clock):
    stream = Terminal()
    watch = ProgressDisplay("dual seed 1", 4, stream)
    watch.after_step(halfway(), 10)
    assert stream.getvalue() == ""  # not drawn for every step
    clock.now += 1
    watch.after_step(halfway(), 10)
    drawn = stream.getvalue()
    assert drawn == "\r\x1b[Kdual seed 1 [#########...............] epoch 2/4 step 5/10 train 0.5000, 50 s left"
    watch.close()
    assert stream.getvalue().endswith("\r\x1b[K")
    assert "\n" not in stream.getvalue()


class Writer:
    made: ClassVar[list[Writer]] = []

    def __init__(self, log_dir, purge_step):
        self.log_dir, self.purge_step, self.values, self.closed = log_dir, purge_step, {}, False
        Writer.made.append(self)

    def add_scalar(self, name, value, step):
        self.values[name, step] = value

    def flush(self):
        pass

    def close(self):
        self.closed = True


@pytest.fixture
def writers(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=Writer))
    Writer.made = []
    return Writer.made


ROW = {"epoch": 3, "split": "val", "level": "oa", "measure": "auc", "value": 0.75}


def test_a_value_a_measure_and_epoch(writers, tmp_path):
    files = EventFiles(tmp_path, epochs_done=2)
    files.add([ROW])
    files.close()
    assert writers[0].values == {("oa/auc/val", 3): 0.75}
    assert (writers[0].log_dir, writers[0].purge_step, writers[0].closed) == (str(tmp_path / "tensorboard"), 3, True)


def test_a_fresh_start_takes_the_old_files_away(writers, tmp_path):
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "events.old").touch()
    EventFiles(tmp_path, epochs_done=2)
    assert (tmp_path / "tensorboard" / "events.old").exists()
    EventFiles(tmp_path, epochs_done=0)
    assert not (tmp_path / "tensorboard").exists()
    assert writers[1].purge_step is None


def test_a_run_writes_them_where_it_is_asked_to(writers, tmp_path):
    files = tiny_study.make(tmp_path / "study")
    train(**job(files, tmp_path / "run", training=TRAINING.model_copy(update={"tensorboard": True, "epochs": 2})))
    assert {step for _, step in writers[0].values} == {1, 2}
    assert writers[0].closed


def test_without_the_package_the_configuration_says_so(monkeypatch):
    monkeypatch.setattr(section, "find_spec", lambda name: None)
    with pytest.raises(ValidationError, match="the package tensorboard is not installed"):
        Training(tensorboard=True)
    monkeypatch.setattr(section, "find_spec", lambda name: name)
    assert Training(tensorboard=True).tensorboard


def test_what_changes_no_result_is_not_decisive():
    assert Training(save_every=1, data="streamed", recompute=True).result_settings() == Training().result_settings()
    assert Training(epochs=7).result_settings() != Training().result_settings()
    assert Training.model_validate(Training(epochs=7).result_settings()) == Training(epochs=7)
