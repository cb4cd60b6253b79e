"""Ensembles: of hand-made tables, whose averages are known, and what they refuse."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit, softmax

from kneeoa.config.hierarchy import Level
from kneeoa.contrasts.cases import level_predictions
from kneeoa.errors import KneeoaError
from kneeoa.inference.ensemble import combine, ensemble
from kneeoa.inference.ensemble_weights import read_weights
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


def test_the_answer_of_a_vote_is_the_class_of_most_votes_and_of_a_tie_the_likelier_one():
    rows = {
        (0, 0, 1): [[0.5, 0.3, 0.2], [0.4, 0.3, 0.3], [0.0, 1.0, 0.0]],  # two votes beat a certain one, which has the higher mean
        (1, 2, 0): [[0.3, 0.4, 0.3], [0.1, 0.2, 0.7], [0.5, 0.2, 0.3]],  # a tie of three
    }
    level = Level(name="l", kind="multiclass", classes=("a", "b", "c"))
    for votes, members in rows.items():
        voted = combine([np.array([row]) for row in members], level, "vote")[0]
        counts, mean = np.bincount(votes, minlength=3), np.mean(members, axis=0)
        assert voted == pytest.approx((counts + mean) / 4, abs=1e-15)
        best = np.flatnonzero(counts == counts.max())
        assert voted.argmax() == best[mean[best].argmax()]
        assert voted.sum() == pytest.approx(1, abs=1e-15)


def test_no_mean_probability_makes_up_for_a_vote():
    """Over every split of votes of five members, with probabilities as far against the majority as
    they can be.
    """
    level = Level(name="l", kind="multiclass", classes=("a", "b", "c"))
    for votes in itertools.product(range(3), repeat=5):
        counts = np.bincount(votes, minlength=3)
        if np.sort(counts)[-1] == np.sort(counts)[-2]:
            continue
        members = []
        for vote in votes:
            row = np.full(3, 0.333)
            row[vote] = 0.334
            members.append(row if vote == counts.argmax() else np.eye(3)[vote])
        assert combine([row[None] for row in members], level, "vote")[0].argmax() == counts.argmax()


def test_findings_are_voted_one_by_one():
    findings = Level(name="f", kind="multilabel", classes=("a", "b", "c"))
    members = [np.array([[0.6, 0.4, 0.9]]), np.array([[0.7, 0.3, 0.2]]), np.array([[0.1, 0.9, 0.1]]), np.array([[0.2, 0.6, 0.3]])]
    voted = combine(members, findings, "vote")[0]
    assert voted == pytest.approx([(2 + 0.4) / 5, (2 + 0.55) / 5, (1 + 0.375) / 5])
    assert (voted >= 0.5).tolist() == [False, True, False], "ties by the mean probability"


def runs_with_validation(folder, sharpness=(3.0, 1.0, 0.0), test_labels=0):
    """Three runs of one head: the first knows most, the last nothing; half the cases validate."""
    draws = np.random.default_rng(4)
    grades = draws.integers(0, 5, 400)
    split = np.where(np.arange(400) % 2 == 0, "val", "test")
    labels = np.where(split == "test", (grades + test_labels) % 5, grades)
    paths = []
    for number, sharp in enumerate(sharpness):
        scores = draws.normal(0, 1, (400, 5))
        scores[np.arange(400), grades] += sharp
        parts = []
        for reading in predict_levels({"kl": sharp * scores}, LEVELS, {}):
            truth = [[int(grade) if reading.level == "kl" else int(grade >= 2)] for grade in labels]
            same = {"study": "s", "arm": f"run-{number}", "seed": 1, "members": None, "cohort": "c", "side": "R", "visit": "00m"}
            columns = {"probabilities": list(reading.probabilities), "logits": list(reading.logits), "calibrated": False, "truth": truth}
            rows = {"case_id": [f"{case}-R-00m" for case in range(400)], "subject": [str(case) for case in range(400)], "split": split}
            parts.append(pd.DataFrame(rows).assign(level=reading.level, head=reading.head, label_source="reader", **same, **columns))
        paths.append(folder / f"run-{number}.parquet")
        PREDICTIONS.write(paths[-1], pd.concat(parts, ignore_index=True))
    return paths


def test_weights_are_the_most_likely_ones_of_the_validation_cases(tmp_path):
    paths, file = runs_with_validation(tmp_path), tmp_path / "e.weights.json"
    ensemble(name="e", members=paths, levels=LEVELS, how="weighted", out=tmp_path / "out.parquet", out_weights=file)
    content = json.loads(file.read_text())
    assert content["combine"] == "weighted"
    assert content["members"] == [f"run-{number}/seed-1" for number in range(3)]
    entry = content["heads"]["kl"]
    weights = np.array(entry["weights"])
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert (entry["split"], entry["labels"], entry["subjects"], entry["reason"]) == ("val", 200, 200, None)
    table = PREDICTIONS.read(paths[0])
    table = table[(table["level"] == "kl") & (table["split"] == "val")].sort_values("case_id")
    truth = np.array([label[0] for label in table["truth"]])
    chosen = []
    for path in paths:
        rows = PREDICTIONS.read(path)
        rows = rows[(rows["level"] == "kl") & (rows["split"] == "val")].sort_values("case_id")
        chosen.append(np.stack(rows["probabilities"].to_list())[np.arange(200), truth])
    of_label = np.stack(chosen, axis=1)

    def loss(free):
        return float(-np.log(of_label @ softmax(np.append(free, 0.0))).mean())

    best = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14, "maxiter": 5000})
    assert entry["loss"] <= best.fun + 1e-8
    assert entry["loss"] == pytest.approx(float(-np.log(of_label @ weights).mean()))
    assert entry["loss"] <= entry["loss_equal"]
    assert weights[0] > weights[2]
    expected = np.tensordot(weights, [values(path, "kl", "kl") for path in paths], axes=1)
    assert values(tmp_path / "out.parquet", "kl", "kl") == pytest.approx(expected, abs=1e-15)
    assert values(tmp_path / "out.parquet", "oa", "kl")[:, 1] == pytest.approx(expected[:, 2:].sum(axis=1), abs=1e-12)


def test_no_test_label_moves_a_weight(tmp_path):
    fitted = []
    for turned in (0, 2):
        paths, file = runs_with_validation(tmp_path, test_labels=turned), tmp_path / "e.weights.json"
        ensemble(name="e", members=paths, levels=LEVELS, how="weighted", out=tmp_path / "out.parquet", out_weights=file)
        fitted.append(file.read_bytes())
    assert fitted[0] == fitted[1]


def test_without_a_validation_label_weights_are_equal_and_say_so(tmp_path, caplog):
    paths, file = [member(tmp_path, "one", 1), member(tmp_path, "other", 1)], tmp_path / "e.weights.json"
    ensemble(name="e", members=paths, levels=LEVELS, how="weighted", out=tmp_path / "out.parquet", out_weights=file)
    for head, entry in json.loads(file.read_text())["heads"].items():
        assert entry["weights"] == [0.5, 0.5]
        assert "no validation case has a label" in entry["reason"]
        assert f"head '{head}': no validation case" in caplog.text
    ensemble(name="m", members=paths, levels=LEVELS, how="mean", out=tmp_path / "mean.parquet", out_weights=tmp_path / "m.weights.json")
    assert values(tmp_path / "out.parquet", "kl", "kl") == pytest.approx(values(tmp_path / "mean.parquet", "kl", "kl"), abs=1e-15)
    assert json.loads((tmp_path / "m.weights.json").read_text())["heads"] == {}


def test_weights_are_read_in_the_order_of_the_runs_and_only_theirs(tmp_path):
    paths, file = runs_with_validation(tmp_path), tmp_path / "e.weights.json"
    ensemble(name="e", members=paths, levels=LEVELS, how="weighted", out=tmp_path / "out.parquet", out_weights=file)
    runs = [f"run-{number}/seed-1" for number in range(3)]
    assert read_weights(file, runs[::-1])["kl"].tolist() == read_weights(file, runs)["kl"].tolist()[::-1]
    with pytest.raises(KneeoaError, match=r"has the weights of run-0/seed-1, .*, but the runs are run-0/seed-1; name the same ones"):
        read_weights(file, runs[:1])
    ensemble(name="m", members=paths, levels=LEVELS, how="mean", out=tmp_path / "mean.parquet", out_weights=file)
    with pytest.raises(KneeoaError, match="holds no weights, as the ensemble's 'combine' is 'mean'"):
        read_weights(file, runs)
    file.write_text("[]")
    with pytest.raises(KneeoaError, match="cannot be read as the weights of an ensemble"):
        read_weights(file, runs)
    with pytest.raises(KneeoaError, match="needs a weight for each"):
        combine([np.ones((1, 5)) / 5] * 2, KL, "weighted")
