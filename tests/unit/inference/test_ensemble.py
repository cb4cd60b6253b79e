"""Ensembles: of hand-made tables, whose averages are known, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit, softmax

from kneeoa.config.hierarchy import Level
from kneeoa.contrasts.cases import level_predictions
from kneeoa.errors import KneeoaError
from kneeoa.inference.ensemble import combine, ensemble
from kneeoa.inference.outputs import predict_levels
from kneeoa.tables.runs import PREDICTIONS

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
LEVELS = (OA, KL)
CASES = [f"{number}-R-00m" for number in range(7)]


def member(folder, arm, seed, heads=("oa", "kl"), calibrated=False, cases=CASES, shift=0):
    """A run's table of random logits; ``shift`` changes the labels."""
    draws = np.random.default_rng([seed, len(arm)])
    logits = {head: draws.normal(0, 2, (len(cases), 2 if head == "oa" else 5)) for head in heads}
    parts = []
    for reading in predict_levels(logits, LEVELS, dict.fromkeys(heads, 2.0) if calibrated else {}):
        grades = [(number + shift) % 5 for number in range(len(cases))]
        truth = [[grade if reading.level == "kl" else int(grade >= 2)] for grade in grades]
        columns = {"probabilities": list(reading.probabilities), "logits": list(reading.logits), "calibrated": reading.calibrated}
        same = {"study": "s", "arm": arm, "seed": seed, "members": None, "cohort": "c", "split": "test", "side": "R", "visit": "00m"}
        identity = {"case_id": cases, "subject": [case[:1] for case in cases], "level": reading.level, "head": reading.head}
        parts.append(pd.DataFrame(identity).assign(**same, **columns, truth=truth, label_source="reader"))
    path = folder / f"{arm}-{seed}.parquet"
    PREDICTIONS.write(path, pd.concat(parts, ignore_index=True))
    return path


def values(path, level, head):
    table = PREDICTIONS.read(path)
    rows = table[(table["level"] == level) & (table["head"] == head)].sort_values("case_id")
    return np.stack(rows["probabilities"].to_list())


@pytest.mark.parametrize("how", ["mean", "logit_mean"])
def test_heads_are_combined_and_coarse_levels_summed_from_them(tmp_path, how):
    paths = [member(tmp_path, "one", 1), member(tmp_path, "other", 1)]
    out = tmp_path / "out.parquet"
    ensemble(name="both", members=paths, levels=LEVELS, how=how, out=out)
    table = PREDICTIONS.read(out)
    assert set(zip(table["level"], table["head"], strict=True)) == {("oa", "oa"), ("kl", "kl"), ("oa", "kl")}
    assert set(table["arm"]) == {"both"}
    assert set(table["seed"]) == {1}
    assert all(list(runs) == ["one/seed-1", "other/seed-1"] for runs in table["members"])
    assert table["logits"].isna().all()
    parts = [values(path, "kl", "kl") for path in paths]
    expected = np.mean(parts, axis=0) if how == "mean" else softmax(np.log(parts).mean(axis=0), axis=1)
    fine, coarse = values(out, "kl", "kl"), values(out, "oa", "kl")
    assert np.allclose(fine, expected, atol=1e-15)
    assert np.allclose(coarse[:, 1], fine[:, 2:].sum(axis=1), atol=1e-15)
    assert np.allclose(values(out, "oa", "oa").sum(axis=1), 1, atol=1e-15)


def test_seeds_together_have_no_seed_and_analyses_read_them(tmp_path):
    paths = [member(tmp_path, "one", seed) for seed in (1, 2, 3)]
    ensemble(name="seeds", members=paths, levels=LEVELS, how="mean", out=tmp_path / "out.parquet")
    table = PREDICTIONS.read(tmp_path / "out.parquet")
    assert table["seed"].isna().all()
    rows = table[(table["level"] == "kl") & (table["head"] == "kl")]
    predictions = level_predictions(rows, "seeds", KL, "kl")
    assert predictions.seeds == (None,)
    assert np.allclose(predictions.probabilities[0], np.mean([values(path, "kl", "kl") for path in paths], axis=0), atol=1e-15)


def test_only_heads_that_all_members_have_speak(tmp_path):
    paths = [member(tmp_path, "dual", 1), member(tmp_path, "kl-alone", 1, heads=("kl",))]
    ensemble(name="both", members=paths, levels=LEVELS, how="mean", out=tmp_path / "out.parquet")
    assert set(PREDICTIONS.read(tmp_path / "out.parquet")["head"]) == {"kl"}


def test_it_is_calibrated_where_all_members_are(tmp_path):
    both = [member(tmp_path, "one", 1, calibrated=True), member(tmp_path, "other", 1, calibrated=True)]
    mixed = [both[0], member(tmp_path, "third-one", 1)]
    for name, paths, expected in (("both", both, True), ("mixed", mixed, False)):
        ensemble(name=name, members=paths, levels=LEVELS, how="mean", out=tmp_path / "out.parquet")
        assert set(PREDICTIONS.read(tmp_path / "out.parquet")["calibrated"]) == {expected}


def test_what_cannot_speak_together_is_refused(tmp_path):
    one = member(tmp_path, "one", 1)

    def attempt(*others, expected):
        with pytest.raises(KneeoaError, match=expected):
            ensemble(name="e", members=[one, *others], levels=LEVELS, how="mean", out=tmp_path / "out.parquet")

    attempt(expected="two at least")
    attempt(one, expected="a member twice")
    attempt(member(tmp_path, "fewer", 1, cases=CASES[1:]), expected="not predict the same cases: 1 are in one alone, first 0-R-00m of c")
    attempt(member(tmp_path, "labels", 1, shift=1), expected="another 'truth' of case 1-R-00m")
    fine, coarse = member(tmp_path, "fine-arm", 1, heads=("kl",)), member(tmp_path, "coarse-arm", 1, heads=("oa",))
    with pytest.raises(KneeoaError, match="no head in common"):
        ensemble(name="e", members=[fine, coarse], levels=LEVELS, how="mean", out=tmp_path / "out.parquet")
    seeds = [one, member(tmp_path, "one", 2)]
    ensemble(name="e", members=seeds, levels=LEVELS, how="mean", out=tmp_path / "ensemble.parquet")
    attempt(tmp_path / "ensemble.parquet", expected="is not the predictions of one run")


def test_certain_members_and_findings_are_combined_without_infinities():
    certain = np.array([[1.0, 0.0], [0.5, 0.5]])
    combined = combine([certain, np.array([[0.5, 0.5], [0.2, 0.8]])], OA, "logit_mean")
    assert np.isfinite(combined).all()
    assert combined[0, 0] > 1 - 1e-12
    assert combined[1, 1] == pytest.approx(expit(logit(0.8) / 2))
    findings = Level(name="f", kind="multilabel", classes=("a", "b"))
    independent = combine([np.array([[0.9, 0.9]]), np.array([[0.5, 1.0]])], findings, "logit_mean")
    assert independent[0, 0] == pytest.approx(expit(logit(0.9) / 2))
    assert 0.9 < independent[0, 1] <= 1
    assert combine([np.array([[0.9, 0.9]]), np.array([[0.5, 1.0]])], findings, "mean") == pytest.approx(np.array([[0.7, 0.95]]))
