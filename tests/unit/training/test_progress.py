from __future__ import annotations

import io
import logging

import pytest

from kneeoa.training import progress
from kneeoa.training.checkpoint import Progress
from kneeoa.training.cost import Cost
from kneeoa.training.loop import EpochState, Evaluation
from kneeoa.training.progress import ProgressDisplay, duration


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
