"""CONTRASTS: the textbook tests on one seed and single knees, clusters and seeds beyond, pairing,
families.
"""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from statsmodels.stats.multitest import multipletests

from kneeoa.atomic_io import sha256_file
from kneeoa.config.pairs import arm_pairs, require_pairs
from kneeoa.config.statistics import Contrast, Family, Statistics
from kneeoa.contrasts.build import build_contrasts
from kneeoa.errors import KneeoaError
from kneeoa.statistics.delong import delong_test
from kneeoa.statistics.mcnemar import mcnemar_test
from kneeoa.tables.statistics import CONTRASTS

OA = Contrast(
    name="oa-dual",
    level="oa",
    candidate="dual",
    reference="single_oa",
    tests={"auc": ("delong", "bootstrap"), "accuracy": ("mcnemar",), "f1": ("bootstrap",)},
)
KL = Contrast(
    name="kl-dual",
    level="kl",
    candidate="dual",
    reference="single_kl",
    tests={"macro_auc": ("delong", "bootstrap"), "accuracy": ("mcnemar", "bootstrap"), "quadratic_kappa": ("bootstrap",)},
)
ARMS = {
    "n-single-oa": {"backbone": "n", "mode": "single_oa"},
    "n-single-kl": {"backbone": "n", "mode": "single_kl"},
    "n-dual": {"backbone": "n", "mode": "dual"},
}


def runs(make, seeds=(0,), **options) -> list[pd.DataFrame]:
    frames = []
    for seed in seeds:
        frames.append(make("n-single-oa", ("oa",), seed, noise=1, **options))
        frames.append(make("n-single-kl", ("kl",), seed, noise=2, **options))
        frames.append(make("n-dual", ("oa", "kl"), seed, noise=3, skill=1.4, **options))
    return frames


def build(tmp_path, levels, files, contrasts=(OA, KL), families=(), arms=ARMS, **options) -> pd.DataFrame:
    statistics = Statistics(resamples=300, contrasts=contrasts, families=families, **options)
    build_contrasts(files, arms, levels, statistics, tmp_path / "contrasts.parquet")
    return CONTRASTS.read(tmp_path / "contrasts.parquet")


def arrays(frame, level, head) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = frame[(frame.level == level) & (frame["head"] == head)]
    return np.array([t[0] for t in rows.truth]), np.array(rows.probabilities.to_list()), rows.subject.to_numpy(dtype=str)


def row(table, level, metric, test) -> pd.Series:
    picked = table[(table.level == level) & (table.metric == metric) & (table.test == test)]
    assert len(picked) == 1
    return picked.iloc[0]


def test_one_seed_and_single_knees_are_the_textbook_tests(tmp_path, levels, make, save) -> None:
    frames = runs(make, singletons=True)
    rows = build(tmp_path, levels, save(*frames))
    truth, reference, _ = arrays(frames[0], "oa", "oa")
    _, candidate, _ = arrays(frames[2], "oa", "oa")
    delong = delong_test(truth, candidate[:, 1], reference[:, 1])
    ours = row(rows, "oa", "auc", "delong")
    assert (ours.p, ours.low, ours.high, ours.statistic) == pytest.approx((delong.p, delong.low, delong.high, delong.z))
    assert (ours.estimate_candidate, ours.estimate_reference) == pytest.approx((delong.estimate_a, delong.estimate_b))
    mcnemar = mcnemar_test((candidate[:, 1] >= 0.5) == truth, (reference[:, 1] >= 0.5) == truth)
    ours = row(rows, "oa", "accuracy", "mcnemar")
    assert (ours.p, ours.difference) == pytest.approx((mcnemar.p, mcnemar.difference))
    assert ours.low < ours.difference < ours.high
    assert len(rows) == 9
    assert (rows.cases == rows.subjects).all()


def test_two_knees_are_one_cluster(tmp_path, levels, make, save) -> None:
    frames = runs(make, n=100)
    rows = build(tmp_path, levels, save(*frames))
    truth, reference, subjects = arrays(frames[0], "oa", "oa")
    _, candidate, _ = arrays(frames[2], "oa", "oa")
    assert row(rows, "oa", "auc", "delong").p == pytest.approx(delong_test(truth, candidate[:, 1], reference[:, 1], subjects).p)
    assert "Obuchowski" in row(rows, "oa", "accuracy", "mcnemar").note
    assert (rows.subjects == 50).all()


def test_seeds_are_averaged(tmp_path, levels, make, save) -> None:
    frames = runs(make, seeds=(0, 1, 2))
    rows = build(tmp_path, levels, save(*frames))
    assert (rows.seeds == 3).all()
    assert (rows.cases == 60).all()
    assert (rows.test == "seeds").sum() == 6
    rows = rows[rows.test != "seeds"].reset_index(drop=True)
    single = [build(tmp_path, levels, save(*frames[3 * s : 3 * s + 3])) for s in range(3)]
    for index in range(len(rows)):
        mean = np.mean([table.difference[index] for table in single])
        assert rows.difference[index] == pytest.approx(mean, abs=1e-12)
        assert rows.difference[index] == pytest.approx(rows.estimate_candidate[index] - rows.estimate_reference[index])


def test_unequal_seeds_are_averaged_over_ones_own_and_said(tmp_path, levels, make, save) -> None:
    rows = build(tmp_path, levels, save(*runs(make, seeds=(0, 1)), make("n-dual", ("oa", "kl"), 2, noise=3)))
    assert rows.note.str.contains(r"seeds differ: candidate \[0, 1, 2\], reference \[0, 1\]").all()
    assert (rows.seeds == 2).all()


def test_equal_arms_are_degenerate_in_every_test(tmp_path, levels, make, save) -> None:
    dual = make("n-dual", ("oa", "kl"))
    others = [dual.assign(arm=arm) for arm in ("n-single-oa", "n-single-kl")]
    rows = build(tmp_path, levels, save(dual, *others))
    assert rows.degenerate.all()
    assert (rows.p == 1).all()
    assert (rows.difference == 0).all()


def test_a_derived_head_speaks_where_there_is_no_own(tmp_path, levels, make, save) -> None:
    frames = runs(make, n=160)
    contrast = OA.model_copy(update={"reference": "single_kl"})
    rows = build(tmp_path, levels, save(*frames), contrasts=(contrast,))
    assert rows.note.str.contains("n-single-kl: level read from head 'kl'").all()
    assert not rows.note.str.contains("n-dual: level").any()
    truth, derived, subjects = arrays(frames[1], "oa", "kl")
    _, coarse, _ = arrays(frames[2], "oa", "oa")
    assert row(rows, "oa", "auc", "delong").p == pytest.approx(delong_test(truth, coarse[:, 1], derived[:, 1], subjects).p)


def test_missing_cases_stop_the_contrast_by_name(tmp_path, levels, make, save) -> None:
    frames = runs(make)
    frames[0] = frames[0][~frames[0].case_id.isin(["c-test-004", "c-test-017"])]
    with pytest.raises(KneeoaError, match=r"'n-dual' and 'n-single-oa'.*2 cases \(c-test-004, c-test-017\)"):
        build(tmp_path, levels, save(*frames))


@pytest.mark.parametrize(("column", "value"), [("truth", [1]), ("subject", "someone")])
def test_cases_labelled_differently_stop_the_contrast(tmp_path, levels, make, save, column, value) -> None:
    frames = runs(make)
    frames[0].at[5, column] = value
    with pytest.raises(KneeoaError, match=r"disagree on the label or subject of 1 cases \(c-test-005\)"):
        build(tmp_path, levels, save(*frames))


def test_seeds_of_an_arm_must_have_the_same_cases(tmp_path, levels, make, save) -> None:
    frames = runs(make, seeds=(0, 1))
    frames[3] = frames[3].iloc[1:]
    with pytest.raises(KneeoaError, match=r"seeds 0 and 1 do not have the same cases: 1 cases \(c-test-000\)"):
        build(tmp_path, levels, save(*frames))


def test_repeated_cases_stop_the_contrast(tmp_path, levels, make, save) -> None:
    frames = runs(make)
    again = frames[0].iloc[[7]].assign(study="another")
    with pytest.raises(KneeoaError, match=r"1 cases \(c-test-007\) occur more than once"):
        build(tmp_path, levels, save(*frames, again))


def test_probabilities_that_are_not_numbers_are_named(tmp_path, levels, make, save) -> None:
    frames = runs(make)
    frames[0].at[2, "probabilities"] = [np.nan, np.nan]
    with pytest.raises(KneeoaError, match=r"'n-single-oa'.*c-test-002.*not finite"):
        build(tmp_path, levels, save(*frames))


def test_every_cohort_and_the_test_split_only(tmp_path, levels, make, save) -> None:
    frames = [*runs(make), *runs(make, cohort="d", n=40), *runs(make, split="val")]
    rows = build(tmp_path, levels, save(*frames))
    assert rows.groupby("cohort").cases.unique().map(list).to_dict() == {"c": [60], "d": [40]}
    assert set(rows.split) == {"test"}
    with pytest.raises(KneeoaError, match=r"cohort 'd': arm 'n-single-oa' has no predictions"):
        build(tmp_path, levels, save(*runs(make), make("n-dual", ("oa", "kl"), noise=3, cohort="d")))


def test_families_are_corrected_together_and_the_rest_is_not(tmp_path, levels, make, save) -> None:
    families = (
        Family(name="primary", adjust="holm", tests=("delong",), contrasts=("oa-dual",)),
        Family(name="rest", adjust="bh", tests=("bootstrap", "mcnemar")),
    )
    rows = build(tmp_path, levels, save(*runs(make)), families=families)
    assert rows.groupby("family").m.first().to_dict() == {"none": 1, "primary": 1, "rest": 7}
    rest = rows[rows.family == "rest"]
    assert rest.p_adjusted.to_numpy() == pytest.approx(multipletests(rest.p, method="fdr_bh")[1])
    alone = rows[rows.family == "none"]
    assert list(alone.metric) == ["macro_auc"]
    assert alone.p_adjusted.isna().all()
    assert set(alone.adjustment) == {"none"}


def test_the_first_matching_family_wins_and_metrics_narrow_it(tmp_path, levels, make, save) -> None:
    families = (
        Family(name="auc", adjust="none", tests=("bootstrap", "delong"), metrics=("auc", "macro_auc")),
        Family(name="all", adjust="by", tests=("bootstrap", "delong", "mcnemar")),
    )
    rows = build(tmp_path, levels, save(*runs(make)), families=families).set_index(["level", "metric", "test"])
    assert set(rows.family[rows.index.get_level_values("metric").isin(["auc", "macro_auc"])]) == {"auc"}
    assert rows.m[rows.family == "all"].eq(5).all()
    assert (rows.p_adjusted[rows.family == "auc"] == rows.p[rows.family == "auc"]).all()


def test_undefined_tests_are_null_and_do_not_count(tmp_path, levels, make, save) -> None:
    frames = [frame[frame.case_id.map(lambda c: int(c[-3:]) % 5 >= 2)] for frame in runs(make)]
    family = Family(name="all", adjust="holm", tests=("bootstrap", "delong", "mcnemar"))
    rows = build(tmp_path, levels, save(*frames), contrasts=(OA,), families=(family,))
    auc = rows[rows.metric == "auc"]
    assert auc[["p", "p_adjusted", "low", "difference"]].isna().all(axis=None)
    assert auc.note.str.contains("no case of class no: undefined").all()
    assert (rows.m == 2).all()


def test_row_order_does_not_matter_and_bytes_repeat(tmp_path, levels, make, save) -> None:
    frames = runs(make, seeds=(0, 1))
    build(tmp_path, levels, save(*frames))
    first = sha256_file(tmp_path / "contrasts.parquet")
    build(tmp_path, levels, save(*(frame.sample(frac=1, random_state=3) for frame in reversed(frames))))
    assert sha256_file(tmp_path / "contrasts.parquet") == first


def test_pairs_share_every_factor_but_the_mode() -> None:
    arms = {
        "a": {"backbone": "n", "mode": "dual", "grid": "small"},
        "b": {"backbone": "n", "mode": "dual", "grid": "large"},
        "c": {"backbone": "n", "mode": "single_oa", "grid": "large"},
        "d": {"backbone": "m", "mode": "single_oa", "grid": "large"},
    }
    assert [(pair.candidate, pair.reference) for pair in arm_pairs(OA, arms)] == [("b", "c")]
    with pytest.raises(KneeoaError, match="'b' and 'e' have the same factors"):
        arm_pairs(OA, arms | {"e": arms["b"]})
    with pytest.raises(KneeoaError, match=r"no two arms have the modes 'dual' and 'single_oa'"):
        require_pairs(OA, {"a": arms["a"], "d": arms["d"]})


def test_wrong_combinations_are_refused(tmp_path, levels, make, save) -> None:
    with pytest.raises(ValidationError, match="test 'mcnemar' applies to accuracy, not to 'f1'"):
        Contrast(name="x", level="oa", candidate="dual", reference="single_oa", tests={"f1": ("mcnemar",)})
    files = save(*runs(make))
    with pytest.raises(KneeoaError, match="'macro_auc' does not apply to the binary level 'oa'"):
        build(tmp_path, levels, files, contrasts=(OA.model_copy(update={"tests": {"macro_auc": ("bootstrap",)}}),))
    with pytest.raises(KneeoaError, match="the levels are"):
        build(tmp_path, levels, files, contrasts=(OA.model_copy(update={"level": "tkr"}),))
    with pytest.raises(KneeoaError, match="arm 'n-single-oa' has no test predictions of level 'kl'"):
        build(tmp_path, levels, files, contrasts=(KL.model_copy(update={"reference": "single_oa"}),))


def test_no_contrasts_is_an_empty_table(tmp_path, levels, make, save) -> None:
    assert build(tmp_path, levels, save(*runs(make)), contrasts=()).empty
