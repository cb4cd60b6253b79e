"""Losses, class weights and the published protocol in whole runs on tiny volumes: they train,
predict, and are written down.
"""

import json

import numpy as np
import pytest

from kneeoa.config.modes import Mode
from kneeoa.config.training import Augmentation, Training
from kneeoa.errors import KneeoaError
from kneeoa.inference.predict import predict
from kneeoa.tables.runs import HISTORY, PREDICTIONS
from kneeoa.training.run import train
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import LEVELS, TRAINING, job

WEIGHTS = "weights.safetensors"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"), splits=("train", "train", "val", "test"))


def predict_all(files, run, out):
    predict(
        study="tiny", arm="a", seed=1, run=run, **files.arguments(), levels=LEVELS, batch=8, threads=1,
        out_predictions=out / "p.parquet", out_embeddings=out / "e.parquet", out_temperature=out / "t.json",
    )  # fmt: skip
    return PREDICTIONS.read(out / "p.parquet")


@pytest.mark.parametrize("loss", ["corn", "coral"])
@pytest.mark.parametrize("kind", ["dual", "dual_stacked"])
def test_a_run_with_an_ordinal_loss_learns_and_its_predictions_are_as_any_others(files, tmp_path, kind, loss):
    mode = Mode(kind=kind, levels=("oa", "kl"), losses={"kl": loss})
    train(**job(files, tmp_path / "run", mode, training=TRAINING.model_copy(update={"epochs": 6, "augmentation": Augmentation()})))
    history = HISTORY.read(tmp_path / "run" / "history.parquet")
    learnt = history[(history["split"] == "train") & (history["level"] == "kl") & (history["measure"] == "loss")]["value"].to_list()
    assert learnt[-1] < 0.8 * learnt[0]
    rows = predict_all(files, tmp_path / "run", tmp_path)
    assert set(zip(rows["level"], rows["head"], strict=True)) == {("oa", "oa"), ("kl", "kl"), ("oa", "kl")}
    for level, classes in (("oa", 2), ("kl", 5)):
        level_rows = rows[rows["level"] == level]
        probabilities = np.stack(level_rows["probabilities"].to_list())
        assert probabilities.shape == (len(level_rows), classes)
        assert (probabilities >= 0).all()
        assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-9)
        logits = np.stack(level_rows["logits"].to_list())
        assert np.allclose(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), probabilities, atol=1e-6)
    both = rows[rows["head"] == "kl"].pivot(index=["cohort", "case_id"], columns="level", values="probabilities")
    assert np.allclose([p[1] for p in both["oa"]], [sum(p[2:]) for p in both["kl"]])


def test_balanced_class_weights_change_the_run_and_are_written_down(files, tmp_path):
    for name, given in (("none", {}), ("balanced", {"class_weights": "balanced"})):
        train(**job(files, tmp_path / name, training=TRAINING.model_copy(update={"epochs": 1, **given})))
        assert json.loads((tmp_path / name / "run.json").read_text())["settings"]["training"]["class_weights"] == name
    assert (tmp_path / "none" / WEIGHTS).read_bytes() != (tmp_path / "balanced" / WEIGHTS).read_bytes()


def test_the_published_protocol_needs_no_validation_cases_and_the_default_one_does(tmp_path):
    whole = tiny_study.make(tmp_path / "study", cases=20, splits=("train", "test"))
    published = Training(protocol="as-published").model_copy(update={"epochs": 2})
    train(**job(whole, tmp_path / "run", training=published))
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["settings"]["training"]["protocol"] == "as-published"
    assert (record["best_epoch"], record["data"]["val"]["cases"]) == (2, 0)
    history = HISTORY.read(tmp_path / "run" / "history.parquet")
    assert set(history["split"]) == {"train"}
    assert set(history.loc[history["measure"] == "learning_rate", "value"]) == {1e-4}
    rows = predict_all(whole, tmp_path / "run", tmp_path)
    assert set(rows["split"]) == {"train", "test"}
    with pytest.raises(KneeoaError, match="Split 'val' has no case"):
        train(**job(whole, tmp_path / "other", training=Training()))
