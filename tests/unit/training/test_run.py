from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from kneeoa.errors import KneeoaError
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.runs import HISTORY
from kneeoa.training import epochs
from kneeoa.training.loop import Evaluation
from kneeoa.training.loop import evaluate as evaluate_as_it_is
from kneeoa.training.run import train
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import DUAL, SINGLE_KL, SINGLE_OA, TRAINING, job

WEIGHTS = "weights.safetensors"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    train(**job(files, out))
    return out


def test_learns_the_planted_signal(files, tmp_path):
    train(**job(files, tmp_path, SINGLE_OA, training=TRAINING.model_copy(update={"epochs": 6})))
    history = HISTORY.read(tmp_path / "history.parquet")
    auc = history[(history["split"] == "val") & (history["measure"] == "auc")].set_index("epoch")["value"]
    loss = history[(history["split"] == "train") & (history["level"] == "total") & (history["measure"] == "loss")]["value"].to_list()
    assert auc[6] > 0.95
    assert loss[-1] < 0.5 * loss[0]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(files, trained, tmp_path):
    train(**job(files, tmp_path / "again"))
    train(**job(files, tmp_path / "other", seed=2))
    for name in (WEIGHTS, "history.parquet", "model.json"):
        assert (tmp_path / "again" / name).read_bytes() == (trained / name).read_bytes()
    assert (tmp_path / "other" / WEIGHTS).read_bytes() != (trained / WEIGHTS).read_bytes()


def test_the_order_of_files_and_rows_does_not_matter(trained, tmp_path):
    backwards = tiny_study.make(tmp_path / "backwards", order=-1).reversed()
    train(**job(backwards, tmp_path / "run"))
    assert (tmp_path / "run" / WEIGHTS).read_bytes() == (trained / WEIGHTS).read_bytes()


def script_losses(monkeypatch, losses):
    """Let the validation losses of the coming epochs be ``losses``."""
    coming = iter(losses)

    def scripted(*arguments):
        evaluation = evaluate_as_it_is(*arguments)
        return Evaluation({**evaluation.losses, "total": next(coming)}, evaluation.measures)

    monkeypatch.setattr(epochs, "evaluate", scripted)


def test_modes_of_one_seed_begin_from_the_same_backbone(files, tmp_path, monkeypatch):
    def no_step(engine, data, plan, tally, optimiser):
        tally.add("total", 1, 1.0)
        yield from ()

    monkeypatch.setattr(epochs, "steps", no_step)
    training = TRAINING.model_copy(update={"epochs": 1, "checkpoint": "last"})
    for name, mode in (("oa", SINGLE_OA), ("kl", SINGLE_KL), ("dual", DUAL)):
        train(**job(files, tmp_path / name, mode, training=training))
    weights = {name: load_file(tmp_path / name / WEIGHTS) for name in ("oa", "kl", "dual")}
    shared = [name for name in weights["dual"] if name.startswith("backbone.")]
    assert any("weight" in name for name in shared)
    for name in shared:
        assert torch.equal(weights["oa"][name], weights["dual"][name])
        assert torch.equal(weights["kl"][name], weights["dual"][name])


def test_history_is_complete(trained):
    history = HISTORY.read(trained / "history.parquet")
    assert list(history["epoch"].unique()) == [1, 2, 3]
    expected = {("train", level, "loss") for level in ("oa", "kl", "total")} | {("val", level, "loss") for level in ("oa", "kl", "total")}
    expected |= {("train", "total", "learning_rate"), ("val", "oa", "auc"), ("val", "kl", "accuracy")}
    for _, epoch in history.groupby("epoch"):
        assert set(zip(epoch["split"], epoch["level"], epoch["measure"], strict=True)) == expected
    table = history.set_index(["epoch", "split", "level", "measure"])["value"]
    assert table[2, "val", "total", "loss"] == pytest.approx(table[2, "val", "oa", "loss"] + table[2, "val", "kl", "loss"])
    assert table[3, "train", "total", "learning_rate"] < table[1, "train", "total", "learning_rate"]


def test_the_record_says_what_made_the_weights(trained):
    content = json.loads((trained / "run.json").read_text())
    history = HISTORY.read(trained / "history.parquet")
    losses = history[(history["split"] == "val") & (history["level"] == "total")].set_index("epoch")["value"]
    assert (content["study"], content["arm"], content["seed"]) == ("tiny", "resnet3d-dual", 1)
    assert content["epochs"] == 3
    assert content["best_epoch"] == losses.idxmin()
    assert content["provenance"] == {"code": "abc", "pretrained": None}
    assert content["settings"]["training"]["batch"] == 4
    assert content["settings"]["model"]["backbone"] == "resnet3d"
    assert content["data"]["train"]["cases"] == 20
    assert content["data"]["val"]["cases"] == 10
    assert len(content["data"]["train"]["digest"]) == 64
    assert content["packages"]["torch"] == torch.__version__.split("+")[0] or content["packages"]["torch"] == torch.__version__
    assert content["threads"] == 1
    assert content["parameters"] == sum(np.prod(t.shape) for n, t in load_file(trained / WEIGHTS).items() if not _is_buffer(n))
    assert min(content["seconds"], content["samples_per_second"], content["peak_memory_mb"]["process"]) > 0
    assert content["seconds"] > content["training_seconds"] + content["validation_seconds"]
    assert 0 <= content["data_wait_share"] < 1
    assert content["resumptions"] == 0
    assert (content["device"], content["driver"], content["energy_joules"]) == ("cpu", None, None)  # a CPU tells neither


def _is_buffer(name):
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def test_the_best_epoch_is_kept_and_the_earlier_of_a_tie(files, tmp_path, monkeypatch):
    constant = TRAINING.model_copy(update={"schedule": "constant", "epochs": 2, "checkpoint": "last"})
    train(**job(files, tmp_path / "two", training=constant))
    script_losses(monkeypatch, [0.5, 0.4, 0.4, 0.6])
    train(**job(files, tmp_path / "four", training=constant.model_copy(update={"epochs": 4, "checkpoint": "best"})))
    assert json.loads((tmp_path / "four" / "run.json").read_text())["best_epoch"] == 2
    assert (tmp_path / "four" / WEIGHTS).read_bytes() == (tmp_path / "two" / WEIGHTS).read_bytes()


def test_no_validation_cases_need_checkpoint_last(tmp_path):
    files = tiny_study.make(tmp_path / "study", splits=("train", "test"))
    with pytest.raises(KneeoaError, match="checkpoint"):
        train(**job(files, tmp_path / "run"))
    train(**job(files, tmp_path / "run", training=TRAINING.model_copy(update={"checkpoint": "last", "epochs": 1})))
    assert set(HISTORY.read(tmp_path / "run" / "history.parquet")["split"]) == {"train"}


def test_cases_without_a_supervising_label_are_left_out(tmp_path):
    files = tiny_study.make(tmp_path / "study", unread=3)
    train(**job(files, tmp_path / "run", training=TRAINING.model_copy(update={"epochs": 1})))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["data"]["train"]["cases"] == 14


def test_a_diverging_loss_names_the_cases(files, tmp_path):
    array = np.load(files.arrays[0])
    array[0] = np.nan  # north-0, row 0: the first case
    np.save(tmp_path / "broken.npy", array)
    broken = tiny_study.Files([tmp_path / "broken.npy", *files.arrays[1:]], files.indices, files.splits, files.labels)
    with pytest.raises(KneeoaError, match="north/1000-R-00m"):
        train(**job(broken, tmp_path / "run"))
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_subject_in_two_splits_is_refused(files, tmp_path):
    table = SPLITS.read(files.splits[0])
    table.loc[table["case_id"] == "1011-R-00m", "subject"] = "1000"  # a validation case of a training subject
    SPLITS.write(tmp_path / "splits.parquet", table)
    leaking = tiny_study.Files(files.arrays, files.indices, [tmp_path / "splits.parquet", files.splits[1]], files.labels)
    with pytest.raises(KneeoaError, match="Subject 1000 of cohort north"):
        train(**job(leaking, tmp_path / "run"))


def test_volumes_of_another_shape_are_refused(files, tmp_path):
    with pytest.raises(KneeoaError, match=r"north-0\.npy.*\(8, 16, 16\).*\(8, 16, 24\)"):
        train(**job(files, tmp_path, spec=tiny_study.spec(DUAL, shape=(8, 16, 24))))


def test_each_epoch_is_one_line_with_the_time_left(files, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="kneeoa"):
        train(**job(files, tmp_path))
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("epoch")]
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1/3 train ")
    assert " oa auc " in lines[0]
    assert lines[-1].endswith(", 0 s left")
