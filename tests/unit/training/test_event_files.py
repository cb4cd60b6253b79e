"""TensorBoard is optional, so a stand-in for its writer says what it is given."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import ClassVar

import pytest
from pydantic import ValidationError

from kneeoa.config import training as section
from kneeoa.config.training import Training
from kneeoa.training.event_files import EventFiles
from kneeoa.training.run import train
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import TRAINING, job


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
