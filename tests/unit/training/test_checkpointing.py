from __future__ import annotations

import json
import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest

from kneeoa.errors import Unfinished
from kneeoa.job_logging import UNFINISHED, job_log
from kneeoa.tables.runs import HISTORY
from kneeoa.training import checkpoint, checkpointing
from kneeoa.training.checkpointing import RESERVE, TimeLimit, end_of_job
from kneeoa.training.run import train
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import TRAINING, job


@pytest.mark.parametrize(
    ("minutes", "environment", "end"),
    [
        (None, {}, None),
        (10, {}, None),  # nobody ends a job of one's own machine
        (10, {"SLURM_JOB_ID": "7"}, 1600),
        (10, {"PBS_JOBID": "7"}, 1600),
        (None, {"SLURM_JOB_ID": "7"}, None),
        (10, {"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": "1500"}, 1500),
        (5, {"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": "1500"}, 1300),
        (None, {"SLURM_JOB_END_TIME": "1500"}, 1500),
        (10, {"SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": "Unknown"}, 1600),
    ],
)
def test_the_earlier_end_that_is_known(minutes, environment, end):
    assert end_of_job(minutes, 1000.0, environment) == end


@pytest.fixture
def ends_in(monkeypatch):
    """Set the time that this job has left, and stop the clock."""

    def ends(seconds):
        monkeypatch.setattr(checkpointing, "time", SimpleNamespace(time=lambda: 1000.0, monotonic=time.monotonic))
        monkeypatch.setenv("SLURM_JOB_END_TIME", str(1000 + seconds))

    return ends


def test_it_leaves_when_the_work_ahead_no_longer_fits(ends_in):
    ends_in(10_000)
    job_ = TimeLimit()
    assert job_.limited
    assert job_.exit_reason(0) is None
    assert job_.exit_reason(10_000 - RESERVE - 20) is None
    assert job_.exit_reason(10_000 - RESERVE + 20) == "before the time limit"


def test_short_jobs_keep_a_smaller_reserve(ends_in):
    ends_in(100)
    assert TimeLimit().exit_reason(90) is None
    assert TimeLimit().exit_reason(97) == "before the time limit"


def test_without_an_end_it_never_leaves():
    assert not TimeLimit(minutes=1).limited
    assert TimeLimit(minutes=1).exit_reason(1e9) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_is_heard_once_and_everything_is_put_back(number):
    before = signal.getsignal(number)
    with TimeLimit() as job_:
        assert job_.exit_reason(0) is None
        os.kill(os.getpid(), number)
        assert job_.exit_reason(0) == f"at the signal {number.name}"
        assert signal.getsignal(number) == before  # a second one ends the process as always
    assert signal.getsignal(number) == before


def test_other_threads_may_train_too():
    heard = []

    def work():
        with TimeLimit() as job_:
            heard.append(job_.exit_reason(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [None]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"))


def test_a_run_leaves_before_its_end_and_goes_on(files, tmp_path, monkeypatch):
    """The clock jumps forward after the third step: the state is written although none was due, and
    the next job ends the run.
    """
    train(**job(files, tmp_path / "whole"))
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    ahead = [0.0]
    monkeypatch.setattr(checkpointing, "time", SimpleNamespace(time=lambda: time.time() + ahead[0], monotonic=time.monotonic))

    def on_step(epoch, step):
        if (epoch, step) == (1, 3):
            ahead[0] = 3600.0

    with pytest.raises(Unfinished, match=r"^stopped after epoch 0 step 4 before the time limit; run again to go on\.$"):
        train(**job(files, tmp_path / "run", minutes=60, on_step=on_step))
    assert not (tmp_path / "run" / "weights.safetensors").exists()
    train(**job(files, tmp_path / "run", minutes=60))
    for name in ("weights.safetensors", "history.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_job_with_an_end_writes_early_to_know_what_it_costs(files, tmp_path, ends_in):
    ends_in(3600)
    there = []
    train(**job(files, tmp_path, training=TRAINING.model_copy(update={"epochs": 1}), on_step=lambda *_: there.append(_state(tmp_path))))
    assert there[0]
    assert len(set(there)) == 1  # once is enough


def _state(folder):
    path = folder / checkpoint.NAME
    return path.stat().st_mtime_ns if path.exists() else None


def test_a_job_without_time_for_a_step_says_so(files, tmp_path, ends_in):
    ends_in(-5)
    with pytest.raises(Unfinished, match="no time for a single step; give the job more time"):
        train(**job(files, tmp_path))
    assert not (tmp_path / checkpoint.NAME).exists()


def test_validation_is_not_begun_where_it_does_not_fit(files, tmp_path, monkeypatch):
    """Steps are short, but the look at the validation cases is one piece: it is put off before it
    begins.
    """
    asked = []

    def reason(self, ahead):
        asked.append(ahead)
        return "before the time limit" if len(asked) == 7 else None  # the start, five steps, validation

    monkeypatch.setattr(TimeLimit, "exit_reason", reason)
    with pytest.raises(Unfinished, match="epoch 0 step 5"):
        train(**job(files, tmp_path))
    monkeypatch.undo()
    train(**job(files, tmp_path))
    assert list(HISTORY.read(tmp_path / "history.parquet")["epoch"].unique()) == [1, 2, 3]
    assert json.loads((tmp_path / "run.json").read_text())["resumptions"] == 1


def test_leaving_has_an_exit_code_of_its_own(tmp_path):
    with pytest.raises(SystemExit) as left, job_log(tmp_path / "log"):
        raise Unfinished("stopped after epoch 1 step 2; run again to go on.")
    assert left.value.code == UNFINISHED not in (0, 1)
    assert "warning: stopped after epoch 1 step 2" in (tmp_path / "log").read_text()
