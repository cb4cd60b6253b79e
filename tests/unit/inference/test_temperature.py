"""Temperatures: fitted on validation cases alone, known to the last digit where the truth is
planted, kept beside their weights.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from kneeoa.atomic_io import sha256_file
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.inference.outputs import predict_levels
from kneeoa.inference.temperature import fit_temperatures, read_temperatures, usable_temperatures, write_temperatures
from kneeoa.labels.level_labels import LevelLabels
from kneeoa.statistics.temperature import fit_temperature

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
FINDINGS = Level(name="findings", kind="multilabel", classes=("a", "b", "c"))
LEVELS = (OA, KL, FINDINGS)


def study(cases=4000, sharpness=2.5, knees=1, seed=0):
    """Logits that are ``sharpness`` times too large, labels drawn from what they should be; half
    the cases validate.
    """
    draws = np.random.default_rng(seed)
    honest = {"kl": draws.normal(0, 1.5, (cases, 5)), "findings": draws.normal(0, 1.5, (cases, 3))}
    grades = np.array([draws.choice(5, p=row) for row in softmax(honest["kl"], axis=1)])
    present = (draws.random((cases, 3)) < 1 / (1 + np.exp(-honest["findings"]))).astype(np.int64)
    number = np.arange(cases)
    rows = {"cohort": "c", "subject": (number // knees).astype(str), "split": np.where(number // knees % 2, "val", "train")}
    truth = {"kl": LevelLabels(grades, ["reader"] * cases), "findings": LevelLabels(present, ["reader"] * cases)}
    return {head: sharpness * values for head, values in honest.items()}, pd.DataFrame(rows), truth


def test_a_planted_temperature_is_found_within_its_interval():
    logits, cases, truth = study()
    fitted = fit_temperatures(logits, LEVELS, cases, truth)
    for head, labels in (("kl", 2000), ("findings", 6000)):
        fit = fitted[head]
        assert fit["low"] < 2.5 < fit["high"]
        assert abs(fit["temperature"] - 2.5) < 0.25
        assert fit["loss_after"] < fit["loss_before"]
        assert (fit["labels"], fit["subjects"], fit["reason"]) == (labels, 2000, None)


def test_the_interval_covers_the_planted_value_as_often_as_it_says():
    inside = 0
    for seed in range(40):
        logits, cases, truth = study(cases=300, seed=seed)
        fit = fit_temperatures({"kl": logits["kl"]}, LEVELS, cases, truth)["kl"]
        inside += fit["low"] < 2.5 < fit["high"]
    assert inside >= 34  # 38 expected of 40; below 34 has a probability of about 0.003


def test_the_interval_is_wider_where_a_subjects_knees_repeat_each_other():
    logits, cases, truth = study(cases=1000)
    alone = fit_temperatures({"kl": logits["kl"]}, LEVELS, cases, truth)["kl"]
    twice = np.repeat(np.arange(1000), 2)
    doubled = {"kl": LevelLabels(truth["kl"].values[twice], ["reader"] * 2000)}
    again = fit_temperatures({"kl": logits["kl"][twice]}, LEVELS, cases.iloc[twice], doubled)["kl"]
    assert again["temperature"] == pytest.approx(alone["temperature"])
    assert again["low"] == pytest.approx(alone["low"])  # copies of a person's knee are no new evidence
    assert again["high"] == pytest.approx(alone["high"])


def test_training_and_test_cases_have_no_say():
    logits, cases, truth = study(cases=400)
    before = fit_temperatures(logits, LEVELS, cases, truth)
    elsewhere = (cases["split"] != "val").to_numpy()
    for head in logits:
        logits[head][elsewhere] *= -9
    assert fit_temperatures(logits, LEVELS, cases, truth) == before


@pytest.mark.parametrize(("labels", "reason"), [(-1, "no validation case"), (None, "no maximum: every validation case is called rightly")])
def test_where_nothing_can_be_fitted_the_reason_is_told(labels, reason):
    logits, cases, _ = study(cases=40)
    values = np.full(40, labels) if labels is not None else logits["kl"].argmax(axis=1)
    fit = fit_temperatures({"kl": logits["kl"]}, LEVELS, cases, {"kl": LevelLabels(values, ["reader"] * 40)})["kl"]
    assert fit["temperature"] is None
    assert fit["low"] is None
    assert reason in fit["reason"]
    assert usable_temperatures({"kl": fit}) == {}


def test_one_subject_gives_a_temperature_without_an_interval():
    logits, cases, truth = study(cases=200)
    cases["subject"] = "1"
    cases["split"] = "val"
    fit = fit_temperatures({"kl": logits["kl"]}, LEVELS, cases, truth)["kl"]
    assert fit["temperature"] == pytest.approx(fit_temperature(truth["kl"].values, logits["kl"]).temperature)
    assert fit["high"] is None
    assert "one subject" in fit["reason"]


def test_ranks_within_a_head_stay_and_coarse_levels_follow_the_calibrated_fine_head():
    logits, _, _ = study(cases=300)
    draws = np.random.default_rng(1)
    logits = {"kl": logits["kl"], "oa": np.stack([np.zeros(300), draws.normal(0, 3, 300)], axis=1)}
    raw, scaled = ({(one.level, one.head): one for one in predict_levels(logits, LEVELS, heads)} for heads in ({}, {"kl": 2.5, "oa": 0.4}))
    fine, coarse = scaled["kl", "kl"].probabilities, scaled["oa", "kl"].probabilities
    assert np.array_equal(np.argsort(fine, axis=1), np.argsort(raw["kl", "kl"].probabilities, axis=1))
    binary = [side["oa", "oa"].probabilities[:, 1] for side in (raw, scaled)]
    assert np.array_equal(np.argsort(binary[0]), np.argsort(binary[1]))
    assert not np.allclose(binary[0], binary[1])
    assert np.allclose(coarse, np.stack([fine[:, :2].sum(axis=1), fine[:, 2:].sum(axis=1)], axis=1), atol=1e-15)
    assert all(one.calibrated for one in scaled.values())
    assert not any(one.calibrated for one in raw.values())
    assert all(np.array_equal(scaled[key].logits, raw[key].logits) for key in raw)
    assert np.allclose(softmax(raw["oa", "kl"].logits, axis=1), raw["oa", "kl"].probabilities, atol=1e-14)


def test_the_file_belongs_to_its_weights_and_flips(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"one")
    heads = {"kl": {"temperature": 1.5, "reason": None}, "oa": {"temperature": None, "reason": "none"}}
    write_temperatures(tmp_path / "temperature.json", tmp_path, (0,), heads)
    assert json.loads((tmp_path / "temperature.json").read_text())["weights"] == sha256_file(tmp_path / "weights.safetensors")
    assert read_temperatures(tmp_path, (0,)) == {"kl": 1.5}
    with pytest.raises(KneeoaError, match=r"fitted with flips along the axes \[0\], not \[\]"):
        read_temperatures(tmp_path, ())
    (tmp_path / "weights.safetensors").write_bytes(b"two")
    with pytest.raises(KneeoaError, match="other weights"):
        read_temperatures(tmp_path, (0,))
    (tmp_path / "temperature.json").write_text("[1]")
    with pytest.raises(KneeoaError, match="is not a file of temperatures"):
        read_temperatures(tmp_path, (0,))
    (tmp_path / "temperature.json").unlink()
    with pytest.raises(KneeoaError, match="no temperature was fitted"):
        read_temperatures(tmp_path, (0,))
