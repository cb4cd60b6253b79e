"""External cohorts: in no threshold and no temperature, measured as stated, and undefined with a
reason.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneeoa.config.statistics import Contrast, Statistics, ThresholdRule
from kneeoa.contrasts.arms import select_predictions
from kneeoa.contrasts.build import build_contrasts
from kneeoa.contrasts.claim_parts import prediction_changes
from kneeoa.contrasts.external import build_external
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.statistics.proportions import wilson
from kneeoa.statistics.temperature import fit_temperature
from kneeoa.tables.external import EXTERNAL
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.tables.statistics import CONTRASTS, METRICS
from tests.unit.contrasts.external_study import HOME, KL, LEVELS, OA, predictions

STATISTICS = Statistics(resamples=50)


def external(paths: list[Path], names: tuple[str, ...] = ("away",), statistics: Statistics = STATISTICS) -> pd.DataFrame:
    out = paths[0].parent / "external.out"
    build_external(paths, names, LEVELS, statistics, out)
    return EXTERNAL.read(out)


def pick(rows: pd.DataFrame, **columns: object) -> pd.Series:
    for name, value in columns.items():
        rows = rows[rows[name].isna()] if value is None else rows[rows[name] == value]
    assert len(rows) == 1, rows
    return rows.iloc[0]


def test_accuracy_by_class_in_exact_fractions_at_the_design_effect_of_people(tmp_path: Path) -> None:
    path = predictions(tmp_path)
    rows = external([path])
    table = PREDICTIONS.read(path)
    table = table[(table["cohort"] == "away") & (table["level"] == "kl")]
    for grade in range(5):
        cases = table[[label[0] == grade for label in table["truth"]]]
        right = [Fraction(int(np.argmax(values) == grade)) for values in cases["probabilities"]]
        share = sum(right) / len(right)
        by_person: dict[str, Fraction] = {}
        for person, value in zip(cases["subject"], right, strict=True):
            by_person[person] = by_person.get(person, Fraction(0)) + value - share
        effect = sum(value**2 for value in by_person.values()) / (len(right) * share * (1 - share))
        row = pick(rows, part="accuracy", level="kl", label=str(grade))
        assert row["estimate"] == pytest.approx(float(share), rel=1e-14)
        assert row["effective"] == pytest.approx(min(len(right) / float(effect), len(right)), rel=1e-12)
        assert row["design_effect"] == pytest.approx(max(float(effect), 1.0), rel=1e-12)
        assert (row["low"], row["high"]) == pytest.approx(wilson(float(share), row["effective"], 0.95), rel=1e-12)
        assert (row["cases"], row["subjects"], row["interval"]) == (len(right), len(by_person), "wilson")


def test_the_numbers_of_one_run_are_those_of_the_table_of_metrics(tmp_path: Path) -> None:
    path = predictions(tmp_path, heads=("kl", "oa"))
    rows = external([path])
    build_metrics([path], LEVELS, STATISTICS, tmp_path / "metrics.parquet")
    metrics = METRICS.read(tmp_path / "metrics.parquet")
    metrics = metrics[(metrics["cohort"] == "away") & (metrics["seed"] == 1) & (metrics["level"] == metrics["head"])]
    for label in KL.classes:
        row, metric = pick(rows, part="accuracy", level="kl", label=label), pick(metrics, level="kl", metric=f"sensitivity[{label}]")
        assert (row["estimate"], row["low"], row["high"]) == pytest.approx((metric["estimate"], metric["low"], metric["high"]), rel=1e-12)
    for part, measure, metric in (
        ("calibration", "slope", "calibration_slope"),
        ("calibration", "brier", "brier"),
        ("accuracy", "accuracy", "accuracy"),
    ):
        kind = {"calibration": "raw", "accuracy": "predicted"}[part]
        row = pick(rows, part=part, level="oa", probabilities=kind, measure=measure, label=None)
        assert row["estimate"] == pytest.approx(pick(metrics, level="oa", metric=metric)["estimate"], rel=1e-8)
    for measure in ("auc", "brier", "f1"):
        assert pick(rows, part="change", level="oa", measure=measure)["estimate"] == pytest.approx(
            pick(metrics, level="oa", metric=measure)["estimate"], rel=1e-12
        )


def test_at_the_develop_prevalence_accuracy_is_the_weighted_mean_and_people_of_both_vary(tmp_path: Path) -> None:
    path = predictions(tmp_path)
    rows = external([path])
    table = PREDICTIONS.read(path)
    home = table[(table["cohort"] == "home") & (table["split"] == "test") & (table["level"] == "kl")]
    shares = np.bincount([label[0] for label in home["truth"]], minlength=5) / len(home)
    of_class = [pick(rows, part="accuracy", level="kl", label=label)["estimate"] for label in KL.classes]
    row = pick(rows, part="accuracy", level="kl", measure="accuracy_at_develop_prevalence")
    assert row["estimate"] == pytest.approx(float(shares @ np.array(of_class)), rel=1e-12)
    assert row["low"] < row["estimate"] < row["high"]
    change = pick(rows, part="change", level="kl", measure="accuracy_at_develop_prevalence")
    plain = pick(rows, part="change", level="kl", measure="accuracy", label=None)
    assert change["estimate_develop"] == pytest.approx(plain["estimate_develop"], rel=1e-14)
    assert change["change"] == pytest.approx(row["estimate"] - plain["estimate_develop"], rel=1e-12)


def test_the_delta_method_agrees_with_a_bootstrap_of_the_people_of_both_cohorts(tmp_path: Path) -> None:
    path = predictions(tmp_path, cohorts=(*HOME, ("away", "test", 200)))
    row = pick(external([path]), part="change", level="kl", measure="accuracy_at_develop_prevalence")
    table = PREDICTIONS.read(path)
    table = table[(table["split"] == "test") & (table["level"] == "kl")]
    sides = []
    for cohort in ("home", "away"):
        part = table[table["cohort"] == cohort].sort_values("case_id")
        truth = np.array([label[0] for label in part["truth"]]).reshape(-1, 2)
        right = (np.stack(part["probabilities"].to_list()).argmax(axis=1) == truth.ravel()).reshape(-1, 2)
        sides.append((truth, right))
    draws, values = np.random.default_rng(1), []
    for _ in range(3000):
        (home, right_home), (away, right_away) = (
            (truth[chosen], right[chosen]) for truth, right in sides for chosen in [draws.integers(0, len(truth), len(truth))]
        )
        of_class = np.array([right_away[away == grade].mean() for grade in range(5)])
        values.append((np.bincount(home.ravel(), minlength=5) / home.size) @ of_class - right_home.mean())
    half = (row["change_high"] - row["change_low"]) / 2 / 1.959964
    assert half == pytest.approx(np.std(values), rel=0.08)


@pytest.mark.parametrize("seeds", [(1,), (1, 2)])
@pytest.mark.parametrize("rule", ["youden", "sensitivity", "specificity"])
def test_no_external_label_moves_a_threshold(tmp_path: Path, rule: str, seeds: tuple[int, ...]) -> None:
    threshold = ThresholdRule.model_validate({"rule": rule})
    results = []
    for wrong in ((), ("away",)):
        paths = [predictions(tmp_path, seed=seed, wrong=wrong, heads=("kl", "oa")) for seed in seeds]
        frame = PREDICTIONS.concat(paths)
        sides = [select_predictions(frame, "net", cohort, "test", OA, "oa", LEVELS, threshold) for cohort in ("home", "away")]
        results.append([sides[0].thresholds, sides[1].thresholds, sides[1].calls.tolist()])
    assert results[0] == results[1]
    assert results[0][0] == results[0][1], "the same at home and away"


def test_no_external_label_moves_the_temperature(tmp_path: Path) -> None:
    """Logits three times too large: the slope at the temperature is that of the raw ones times T,
    whatever the external labels are.
    """
    fitted = []
    for wrong in ((), ("away",)):
        rows = external([predictions(tmp_path, sharpness=3.0, wrong=wrong)])
        rows = rows[(rows["level"] == "kl") & (rows["part"] == "calibration")]
        slopes = [pick(rows, probabilities=kind, measure="slope")["estimate"] for kind in ("raw", "temperature")]
        fitted.append(slopes[1] / slopes[0])
    assert fitted[0] == pytest.approx(fitted[1], rel=1e-6)
    assert fitted[0] == pytest.approx(3.0, rel=0.2)
    table = PREDICTIONS.read(predictions(tmp_path, sharpness=3.0))
    chosen = table[(table["split"] == "val") & (table["level"] == "kl")]
    alone = fit_temperature([label[0] for label in chosen["truth"]], np.stack(chosen["logits"].to_list()))
    assert fitted[0] == pytest.approx(alone.temperature, rel=1e-6)


def test_a_cohort_labelled_at_the_coarse_level_is_tested_there(tmp_path: Path) -> None:
    cohorts = (*HOME, ("away", "test", 60), ("clinic", "test", 40))
    paths = [predictions(tmp_path, arm, cohorts=cohorts, coarse=("clinic",)) for arm in ("net", "other")]
    rows = external(paths, ("away", "clinic"))
    assert set(map(tuple, rows[["cohort", "level", "head"]].drop_duplicates().to_numpy())) == {
        ("away", "oa", "kl"),
        ("away", "kl", "kl"),
        ("clinic", "oa", "kl"),
    }
    build_metrics(paths, LEVELS, STATISTICS, tmp_path / "metrics.parquet")
    metrics = METRICS.read(tmp_path / "metrics.parquet")
    assert set(metrics.loc[metrics["cohort"] == "clinic", "level"]) == {"oa"}
    assert pick(metrics, arm="net", cohort="clinic", metric="auc", seed=1)["cases"] == 80
    contrasts = [
        Contrast(name=f"{level}-c", level=level, candidate="x", reference="y", tests={metric: ("delong",)})
        for level, metric in (("oa", "auc"), ("kl", "macro_auc"))
    ]
    arms = {"net": {"mode": "x"}, "other": {"mode": "y"}}
    build_contrasts(paths, arms, LEVELS, STATISTICS.model_copy(update={"contrasts": tuple(contrasts)}), tmp_path / "c.parquet")
    made = CONTRASTS.read(tmp_path / "c.parquet")
    assert set(made.loc[made["cohort"] == "clinic", "level"]) == {"oa"}
    assert set(made.loc[made["cohort"] == "away", "level"]) == {"oa", "kl"}
    frame = PREDICTIONS.concat(paths)
    frame = frame[frame["split"] == "test"]
    assert [change.level for change in prediction_changes(frame, "net", "other", "clinic", LEVELS)] == ["oa"]


def test_what_is_undefined_says_why(tmp_path: Path) -> None:
    rare = predictions(tmp_path, "rare", cohorts=(("home", "train", 60), ("home", "test", 60), ("away", "test", 4)))
    rows = external([rare])
    absent = sorted({label for label in KL.classes if pick(rows, part="accuracy", level="kl", label=label)["cases"] == 0})
    assert absent
    for label in absent:
        row = pick(rows, part="accuracy", level="kl", label=label)
        assert pd.isna(row["estimate"])
        assert row["note"] == f"no case of class {label}"
    at_home = pick(rows, part="accuracy", level="kl", measure="accuracy_at_develop_prevalence")
    assert at_home["note"] == f"no case of class {', '.join(absent)}"
    no_temperature = pick(rows, part="calibration", level="kl", probabilities="temperature")
    assert pd.isna(no_temperature["estimate"])
    assert "no validation case" in no_temperature["note"]
    assert "needs 10 people" in pick(rows, part="secondary", level="kl", probabilities="recalibrated")["note"]


def test_what_uses_the_cohorts_labels_stands_apart_and_adapts(tmp_path: Path) -> None:
    rows = external([predictions(tmp_path, cohorts=(*HOME, ("away", "test", 400)))])
    here = rows[(rows["level"] == "kl") & (rows["measure"] == "log_loss")]
    loss = {(row.part, row.probabilities): row.estimate for row in here.itertuples()}
    assert set(loss) == {
        ("calibration", "raw"),
        ("calibration", "temperature"),
        ("secondary", "prior-corrected"),
        ("secondary", "recalibrated"),
    }
    assert loss["secondary", "prior-corrected"] < loss["calibration", "raw"]
    assert loss["secondary", "recalibrated"] < loss["calibration", "raw"]
    notes = rows.loc[(rows["part"] == "secondary") & rows["label"].isna() & (rows["measure"] == "log_loss"), "note"]
    assert all("uses this cohort's labels" in note for note in notes)
    assert set(rows.loc[rows["part"] != "secondary", "probabilities"]) == {"predicted", "raw", "temperature"}


def test_an_ensemble_without_logits_is_calibrated_by_its_own_probabilities(tmp_path: Path) -> None:
    rows = external([predictions(tmp_path, sharpness=2.0), predictions(tmp_path, "pool", sharpness=2.0, logits=False)])
    one, other = (rows[rows["arm"] == arm].drop(columns="arm").reset_index(drop=True) for arm in ("net", "pool"))
    assert set(rows["arm"]) == {"net", "pool"}
    # Other draws, the same machinery: both have a temperature above 1.
    for part in (one, other):
        slope = {
            kind: pick(part, level="kl", part="calibration", probabilities=kind, measure="slope")["estimate"]
            for kind in ("raw", "temperature")
        }
        assert slope["temperature"] > 1.5 * slope["raw"]


def test_the_table_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    path = predictions(tmp_path)
    rows = external([path])
    table = PREDICTIONS.read(path)
    PREDICTIONS.write(path, table.iloc[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(external([path]), rows, rtol=1e-12)
