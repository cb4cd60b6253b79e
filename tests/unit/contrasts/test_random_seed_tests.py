"""Beyond these networks: random seeds, the primary comparison, margins, thresholds, contradictions,
findings, subgroups.
"""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from kneeoa.config.metrics import class_of, metric_of_row, metrics_of, rows_of
from kneeoa.config.statistics import APPLICABLE, Bands, Contrast, Family, Primary, Statistics, ThresholdRule
from kneeoa.contrasts.build import build_contrasts
from kneeoa.contrasts.cases import level_predictions, sampled_runs
from kneeoa.contrasts.metrics import build_metrics, measured
from kneeoa.contrasts.subgroups import build_subgroups
from kneeoa.errors import KneeoaError
from kneeoa.statistics.delong import auc_covariance
from kneeoa.statistics.inputs import cluster_codes
from kneeoa.statistics.operating_point import choose_threshold
from kneeoa.statistics.proportions import share
from kneeoa.statistics.run_influences import contradictions
from kneeoa.statistics.seeds import mode_effect
from kneeoa.tables.cohort import CASES
from kneeoa.tables.statistics import CONTRASTS, METRICS, SUBGROUPS

ARMS = {f"n-{mode}": {"backbone": "n", "mode": mode} for mode in ("dual", "single_oa")}
OA = {"name": "oa-dual", "level": "oa", "candidate": "dual", "reference": "single_oa"}
CONTRAST = Contrast(**OA, tests={"auc": ("delong", "bootstrap"), "accuracy": ("mcnemar",)})
FAMILIES = (
    Family(name="secondary", adjust="holm", tests=("delong", "mcnemar", "delta")),
    Family(name="exploratory", adjust="bh", tests=("bootstrap",)),
)


def runs(make, seeds, **options) -> list[pd.DataFrame]:
    dual = [make("n-dual", ("oa", "kl"), seed, noise=3, skill=1.4, **options) for seed in seeds]
    return dual + [make("n-single_oa", ("oa",), seed, noise=1, **options) for seed in seeds]


def build(tmp_path, levels, files, contrast=CONTRAST, **options) -> pd.DataFrame:
    statistics = Statistics(resamples=200, contrasts=(contrast,), **options)
    build_contrasts(files, ARMS, levels, statistics, tmp_path / "contrasts.parquet")
    return CONTRASTS.read(tmp_path / "contrasts.parquet")


def scores(frame) -> np.ndarray:
    return np.array([value[1] for value in frame[(frame.level == "oa") & (frame["head"] == "oa")].probabilities])


def test_the_seeds_row_is_obuchowski_rockette_and_joins_the_families(tmp_path, levels, make, save) -> None:
    frames = runs(make, (1, 2, 3, 4))
    primary = Primary(contrast="oa-dual", metric="auc")
    rows = build(tmp_path, levels, save(*frames), primary=primary, families=FAMILIES).set_index(["metric", "test"])
    first = frames[0][(frames[0].level == "oa") & (frames[0]["head"] == "oa")]
    truth, subjects = first.truth.map(lambda value: value[0]).to_numpy(), first.subject.to_numpy(dtype=str)
    covariance = auc_covariance(truth, np.stack([scores(frame) for frame in frames]).T, subjects)
    expected = mode_effect(covariance.auc.reshape(2, 4), covariance.covariance)
    row = rows.loc["auc", "seeds"]
    assert (row.p, row.low, row.high, row.df) == pytest.approx(
        (expected.random.p, expected.random.low, expected.random.high, expected.random.df)
    )
    assert row.family == "primary"
    assert (row.adjustment, row.m, row.p_adjusted) == ("none", 1, row.p)
    assert row.generalises == "subjects and seeds"
    assert row.detectable > 2.8 * row.standard_error
    fixed = rows.loc[[("auc", "delong"), ("auc", "bootstrap"), ("accuracy", "mcnemar")]]
    assert set(fixed.family) == {"none"}
    assert fixed.note.str.contains("about these trained networks only").all()
    assert fixed.note.str.contains("in no family").all()
    assert rows.loc["accuracy", "seeds"].family == "secondary"
    assert (rows.family == "exploratory").sum() == 0


def test_with_two_seeds_the_first_test_is_primary_and_says_what_it_is_about(tmp_path, levels, make, save) -> None:
    primary = Primary(contrast="oa-dual", metric="auc")
    rows = build(tmp_path, levels, save(*runs(make, (1, 2))), primary=primary, families=FAMILIES).set_index(["metric", "test"])
    assert "seeds" not in rows.index.get_level_values("test")
    assert rows.family.to_dict() == {
        ("auc", "delong"): "primary",
        ("auc", "bootstrap"): "exploratory",
        ("accuracy", "mcnemar"): "secondary",
    }
    assert (rows.generalises == "subjects").all()
    assert rows.note.str.contains("about these trained networks only").all()
    assert rows.detectable.notna().all()


def test_several_primary_rows_are_a_family_by_holm(tmp_path, levels, make, save) -> None:
    frames = [*runs(make, (1,)), *runs(make, (1,), cohort="d", n=40)]
    rows = build(tmp_path, levels, save(*frames), primary=Primary(contrast="oa-dual", metric="auc"))
    primary = rows[rows.family == "primary"]
    assert len(primary) == 2
    assert set(primary.adjustment) == {"holm"}
    assert primary.p_adjusted.max() >= 2 * primary.p.min()
    one = build(tmp_path, levels, save(*frames), primary=Primary(contrast="oa-dual", metric="auc", cohort="d"))
    assert list(one[one.family == "primary"].cohort) == ["d"]


def test_margins_have_rows_with_a_verdict(tmp_path, levels, make, save) -> None:
    files = save(*runs(make, (1,), n=100))
    wide = build(tmp_path, levels, files, CONTRAST.model_copy(update={"margin": 0.9})).set_index(["metric", "test"])
    assert wide.loc["auc", "non_inferiority"].verdict == "non-inferior: worse by less than 0.9"
    assert wide.loc["auc", "equivalence"].verdict == "equivalent within 0.9"
    assert ("accuracy", "equivalence") not in wide.index
    narrow = build(tmp_path, levels, files, CONTRAST.model_copy(update={"margin": 1e-6})).set_index(["metric", "test"])
    assert narrow.loc["auc", "equivalence"].verdict.endswith("not shown")
    delong, equal = wide.loc["auc", "delong"], wide.loc["auc", "equivalence"]
    assert (equal.high - equal.low) / (delong.high - delong.low) == pytest.approx(1.6449 / 1.95996, rel=1e-4)  # 90 and 95 %
    with pytest.raises(ValidationError, match="a margin needs a tested metric"):
        Contrast(**OA, tests={"calibration_slope": ("delta",)}, margin=0.1)


def test_a_threshold_comes_from_the_validation_cases_of_arm_and_seed(tmp_path, levels, make, save) -> None:
    frames = [*runs(make, (1, 2)), *runs(make, (1, 2), split="val", n=50)]
    rule = ThresholdRule(rule="sensitivity", value=0.8)
    build_metrics(save(*frames), levels, Statistics(resamples=50, threshold=rule), tmp_path / "m.parquet")
    rows = METRICS.read(tmp_path / "m.parquet")
    of_run = rows[(rows.arm == "n-dual") & (rows["head"] == "oa") & (rows.split == "test") & (rows.seed == 2)].set_index("metric")
    val = frames[5][(frames[5].level == "oa") & (frames[5]["head"] == "oa")]
    expected = choose_threshold(val.truth.map(lambda value: value[0]), scores(val), "sensitivity", 0.8).threshold
    assert of_run.estimate["threshold"] == expected
    test = frames[1][(frames[1].level == "oa") & (frames[1]["head"] == "oa")]
    ill = test.truth.map(lambda value: value[0]).to_numpy() == 1
    assert of_run.estimate["sensitivity"] == pytest.approx((scores(test)[ill] >= expected).mean())
    assert "on validation cases" in of_run.note["accuracy"]
    build_metrics(save(*frames[:4]), levels, Statistics(resamples=50, threshold=rule), tmp_path / "m.parquet")
    without = METRICS.read(tmp_path / "m.parquet")
    assert (without[without.metric == "threshold"].estimate == 0.5).all()
    assert without[without.metric == "threshold"].note.str.contains("no validation cases of both classes").all()


def test_contradiction_is_a_metric_of_arms_with_both_heads(tmp_path, levels, make, save) -> None:
    frames = runs(make, (1,))
    build_metrics(save(*frames), levels, Statistics(resamples=50), tmp_path / "m.parquet")
    rows = METRICS.read(tmp_path / "m.parquet")
    rows = rows[(rows.metric == "contradiction") & (rows.seed == 1)]
    assert list(rows.arm) == ["n-dual"]
    coarse, fine = (np.array(frames[0][(frames[0].level == k) & (frames[0]["head"] == k)].probabilities.to_list()) for k in ("oa", "kl"))
    codes = cluster_codes(frames[0][frames[0].level == "kl"].subject.to_numpy(dtype=str), len(coarse))
    expected = share(contradictions(coarse, fine, (0, 0, 1, 1, 1))[0], codes, 0.95, "")
    assert tuple(rows[["estimate", "low", "high"]].iloc[0]) == pytest.approx((expected.estimate, expected.low, expected.high))
    contrast = Contrast(**OA, tests={"contradiction": ("delta",)})
    lacking = build(tmp_path, levels, save(*frames), contrast)
    assert pd.isna(lacking.p[0])
    assert "n-single_oa lack a head" in lacking.note[0]
    both = [frames[0], make("n-single_oa", ("oa", "kl"), 1, noise=8)]
    assert 0 < build(tmp_path, levels, save(*both), contrast).p[0] <= 1


@pytest.mark.parametrize("kind", ["binary", "ordinal"])
def test_every_metric_has_a_test_an_influence_and_one_value(tmp_path, levels, make, save, kind) -> None:
    level = levels[0] if kind == "binary" else levels[1]
    rows = make("a", ("oa", "kl"), 1)
    rows = rows[(rows.level == level.name) & (rows["head"] == level.name)]
    predictions = level_predictions(rows, "a", level, level.name)
    for metric in metrics_of(kind):
        assert any(metric in metrics for metrics in APPLICABLE.values()) or metric == "prevalence"
        for name in rows_of(metric, level):
            label = class_of(name)
            part, one = (predictions, name) if label is None else (predictions.of_class(label), metric_of_row(name))
            (run,) = sampled_runs(one, part)
            assert run.influence.sum() == pytest.approx(0, abs=1e-9)
            row = measured(one, part, Statistics(resamples=50))
            assert row.estimate == pytest.approx(run.value)
            assert row.low < row.estimate < row.high or row.kind == "none"


def test_subgroups_have_differences_and_an_interaction_and_small_ones_are_suppressed(tmp_path, levels, make, save) -> None:
    frames = runs(make, (1, 2, 3), n=120)
    names = sorted(set(frames[0].case_id))
    shared = {"cohort": "c", "visit": "00m", "shard": 0, "site": None, "given_split": None}
    rows = [
        {"case_id": name, "subject": f"p{i // 2:03d}", "side": "LR"[i % 2], "sex": "FM"[i // 2 % 2], "age": 45 + 30 * (i / 120) ** 3}
        | shared
        for i, name in enumerate(names)
    ]
    CASES.write(tmp_path / "cases.parquet", rows)
    subgroups = {"sex": ("F", "M"), "side": "all", "age": Bands(bands=(45, 60, 75)), "kl": (2, 3)}
    statistics = Statistics(resamples=50, contrasts=(CONTRAST,), subgroups=subgroups)
    build_subgroups(save(*frames), [tmp_path / "cases.parquet"], ARMS, levels, statistics, tmp_path / "s.parquet")
    groups = SUBGROUPS.read(tmp_path / "s.parquet").set_index(["attribute", "group"])
    assert list(groups.loc["sex"].index) == ["F", "M", "interaction"]
    assert list(groups.loc["age"].index) == ["45 to 60", "60 to 75", "interaction"]
    both = groups.loc["sex"]
    assert both.difference["interaction"] == pytest.approx(both.difference["F"] - both.difference["M"])
    assert both.df["interaction"] == 1
    assert 0 < both.p["interaction"] <= 1
    assert both.cases["F"] + both.cases["M"] == 120
    kl = groups.loc["kl"]
    assert kl.suppressed[["2", "3"]].all()  # within a grade OA does not vary
    assert kl.note["2"] == "0 negative cases, fewer than 10"
    assert "72 cases in no group" in kl.note["interaction"]
    with pytest.raises(KneeoaError, match="'sex', which neither"):
        build_subgroups(save(*frames), [], ARMS, levels, statistics, tmp_path / "s.parquet")
