from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneeoa.config.analysis import Geometry
from kneeoa.errors import KneeoaError
from kneeoa.geometry.cases import CaseTables, ordinal_level, read_embeddings
from kneeoa.geometry.run_measures import measure_run
from kneeoa.tables.cohort import LABELS
from kneeoa.tables.geometry import AXIS, GEOMETRY
from tests.unit.geometry.planted import LEVELS, cases, write


def run(folder: Path, frame: pd.DataFrame, values: np.ndarray, truth: bool = True, **options: object) -> tuple[pd.DataFrame, ...]:
    paths = write(folder, frame, values)
    axis, measures = folder / "axis.parquet", folder / "measures.parquet"
    measure_run(
        study="s",
        arm="a",
        seed=1,
        embeddings=paths["embeddings"],
        sources=CaseTables([paths["labels"]], [paths["truth"]] if truth else []),
        levels=LEVELS,
        geometry=Geometry(**{"resamples": 200, "permutations": 50, **options}),
        out_axis=axis,
        out_measures=measures,
    )
    return AXIS.read(axis), GEOMETRY.read(measures)


def pick(measures: pd.DataFrame, axis: str, against: str, measure: str, split: str = "test") -> pd.Series:
    keys = (("axis", axis), ("against", against), ("measure", measure), ("split", split))
    chosen = measures.loc[np.logical_and.reduce([measures[column] == value for column, value in keys])]
    assert len(chosen) == 1, (axis, against, measure)
    return chosen.iloc[0]


def gradient(frame: pd.DataFrame, noise: float = 0.05, width: int = 8) -> np.ndarray:
    generator = np.random.default_rng(9)
    return np.outer(frame["severity"], generator.normal(size=width)) + generator.normal(scale=noise, size=(len(frame), width))


def test_a_planted_gradient_orders_the_grades(tmp_path: Path) -> None:
    frame = cases()
    axis, measures = run(tmp_path, frame, gradient(frame))
    assert len(axis) == 4 * len(frame)
    for kind in ("pc1", "centroid", "lda", "ridge"):
        assert pick(measures, kind, "kl", "spearman")["low"] > 0.9
        assert pick(measures, kind, "kl", "somers_d")["estimate"] > 0.9
        assert pick(measures, kind, "latent_severity", "spearman")["estimate"] > 0.97
        assert pick(measures, kind, "latent_severity", "pearson")["estimate"] > 0.97
        assert pick(measures, kind, "kl", "centroid_inversions")["estimate"] == 0
        assert pick(measures, kind, "kl", "centroid_order_share")["estimate"] == 1
        assert pick(measures, kind, "oa", "probe_auc")["estimate"] > 0.97
        # Discriminants and regressions weigh components by their noise: they order better and lie
        # along less of the variance.
        least = 0.8 if kind in ("pc1", "centroid") else 0.2
        assert pick(measures, kind, "", "explained_variance")["estimate"] > least
        assert pick(measures, kind, "", "explained_variance", "train")["estimate"] > least
        assert pick(measures, kind, "kl", "permutation_p")["estimate"] == pytest.approx(1 / 51)
        assert pick(measures, kind, "kl", "spearman_null")["high"] < 0.35
        nested = [pick(measures, kind, "kl", name)["estimate"] for name in ("linear_r2", "isotonic_r2", "eta2")]
        assert 0.8 < nested[0] <= nested[1] <= nested[2] <= 1
    assert 1 <= pick(measures, "space", "", "participation_ratio")["estimate"] < 1.5
    assert pick(measures, "space", "kl", "probe_ridge_r2")["low"] > 0.8
    assert pick(measures, "space", "kl", "probe_quadratic_kappa")["low"] > 0.8
    assert pick(measures, "space", "oa", "probe_logistic_auc")["low"] > 0.9
    row = pick(measures, "pc1", "kl", "spearman")
    assert row["low"] < row["estimate"] < row["high"]
    assert (row["cases"], row["subjects"]) == (100, frame.loc[frame["split"] == "test", "subject"].nunique())
    place = axis[axis["axis"] == "pc1"].merge(frame[["case_id", "severity", "grade"]], on="case_id", suffixes=("", "_planted"))
    assert (place["grade"] == place["grade_planted"]).all()
    train = place[place["split"] == "train"]
    assert train["position"].mean() == pytest.approx(0, abs=1e-6)
    assert train["position"].std(ddof=0) == pytest.approx(1)


def test_on_noise_the_held_out_order_is_nothing(tmp_path: Path) -> None:
    """Fitted and scored on the same cases, a centroid axis of noise looks ordered; held out it must
    not.
    """
    frame = cases(train=150, test=150)
    values = np.random.default_rng(4).normal(size=(300, 256))
    axis, measures = run(tmp_path, frame, values)
    row = pick(measures, "centroid", "kl", "spearman")
    assert abs(row["estimate"]) < 0.2
    assert row["low"] < 0 < row["high"]
    train = axis[(axis["axis"] == "centroid") & (axis["split"] == "train")]
    assert train["position"].corr(train["grade"].astype(float), method="spearman") > 0.4


def test_the_axis_is_fitted_on_training_cases_alone(tmp_path: Path) -> None:
    frame = cases()
    values = gradient(frame)
    changed = values.copy()
    test = (frame["split"] == "test").to_numpy()
    changed[test] = -100 * values[test][::-1] + 3
    moved = frame.assign(grade=np.where(test, 4 - frame["grade"], frame["grade"]))
    before, before_measures = run(tmp_path / "a", frame, values)
    after, after_measures = run(tmp_path / "b", moved, changed)
    columns = ["axis", "case_id", "position", "across"]
    pd.testing.assert_frame_equal(before.loc[before["split"] == "train", columns], after.loc[after["split"] == "train", columns])
    assert (before.loc[before["split"] == "test", "position"] != after.loc[after["split"] == "test", "position"]).all()
    # Reversed test cases stay reversed: the sign is the training cases'.
    assert pick(before_measures, "pc1", "latent_severity", "spearman")["estimate"] > 0.9
    kept, turned = (pick(table, "pc1", "", "explained_variance", "train")["estimate"] for table in (before_measures, after_measures))
    assert kept == turned
    reversed_only = values.copy()
    reversed_only[test] = values[~test].mean(axis=0) * 2 - values[test]
    _, mirrored = run(tmp_path / "c", frame, reversed_only)
    assert pick(mirrored, "pc1", "kl", "spearman")["estimate"] < -0.9
    assert pick(mirrored, "pc1", "oa", "probe_auc")["estimate"] < 0.1


def test_constant_embeddings_have_no_axis_and_say_so(tmp_path: Path) -> None:
    frame = cases(train=20, test=20)
    axis, measures = run(tmp_path, frame, np.full((40, 4), 0.1))
    assert axis.empty
    assert measures["estimate"].isna().all()
    assert measures["note"].str.contains("undefined").all()
    assert "all training embeddings are equal" in pick(measures, "pc1", "kl", "spearman")["note"]


def test_a_grade_missing_from_training_removes_the_centroid_axis_only(tmp_path: Path) -> None:
    frame = cases()
    frame.loc[(frame["split"] == "train") & (frame["grade"] == 4), "grade"] = -1
    axis, measures = run(tmp_path, frame, gradient(frame))
    assert set(axis["axis"]) == {"pc1", "lda", "ridge"}
    assert pick(measures, "centroid", "kl", "spearman")["note"] == "undefined: no axis: no training case of grade 4"
    assert pick(measures, "pc1", "kl", "spearman")["estimate"] > 0.9


def test_a_grade_missing_from_the_test_set_is_said(tmp_path: Path) -> None:
    frame = cases()
    frame.loc[(frame["split"] == "test") & (frame["grade"] == 1), "grade"] = -1
    axis, measures = run(tmp_path, frame, gradient(frame))
    row = pick(measures, "pc1", "kl", "adjacent_auc_1_2")
    assert np.isnan(row["estimate"])
    assert row["note"] == "undefined: no case of grade 1"
    assert pick(measures, "pc1", "kl", "adjacent_auc_2_3")["estimate"] > 0.9
    assert pick(measures, "pc1", "kl", "centroid_inversions")["estimate"] == 0
    assert pick(measures, "pc1", "kl", "spearman")["cases"] == (frame.loc[frame["split"] == "test", "grade"] >= 0).sum()
    assert axis["grade"].isna().sum() == 4 * (frame["grade"] < 0).sum()


def test_without_truth_nothing_is_held_against_it(tmp_path: Path) -> None:
    frame = cases(train=30, test=30)
    _, measures = run(tmp_path, frame, gradient(frame), truth=False)
    assert set(measures["against"]) == {"", "kl", "oa"}


def test_each_cohort_is_scored_by_itself(tmp_path: Path) -> None:
    frame = cases()
    frame.loc[frame.index[-40:], "cohort"] = "external"
    _, measures = run(tmp_path, frame, gradient(frame))
    scored = measures[(measures["measure"] == "somers_d") & (measures["axis"] == "pc1")].set_index("cohort")["cases"]
    assert scored.to_dict() == {"made": 60, "external": 40}


def test_same_bytes_whatever_the_order_of_rows(tmp_path: Path) -> None:
    frame = cases(train=40, test=30)
    values = gradient(frame)
    order = np.random.default_rng(0).permutation(len(frame))
    run(tmp_path / "a", frame, values)
    run(tmp_path / "b", frame.iloc[order], values[order])
    for name in ("axis.parquet", "measures.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    frame = cases(train=20, test=20)
    values = gradient(frame)
    values[7, 2] = np.nan
    with pytest.raises(KneeoaError, match="'c0007' is not finite"):
        run(tmp_path / "a", frame, values)
    with pytest.raises(KneeoaError, match="cannot be read as an embeddings table"):
        read_embeddings(write(tmp_path / "b", frame, gradient(frame))["labels"])
    with pytest.raises(KneeoaError, match="the hierarchy has none"):
        ordinal_level(LEVELS[:1], None)
    with pytest.raises(KneeoaError, match=r"'geometry.level' is 'oa'"):
        ordinal_level(LEVELS, "oa")


def test_labels_that_disagree_are_refused(tmp_path: Path) -> None:
    frame = cases(train=20, test=20)
    paths = write(tmp_path, frame, gradient(frame))
    table = LABELS.read(paths["labels"])
    other = table[table["level"] == "kl"].head(1).assign(source="teacher", value=[[int(4 - frame["grade"][0])]])
    assert int(frame["grade"][0]) != 2
    LABELS.write(paths["labels"], pd.concat([table, other], ignore_index=True))
    with pytest.raises(KneeoaError, match="labels of level 'kl' that disagree"):
        measure_run(
            study="s",
            arm="a",
            seed=1,
            embeddings=paths["embeddings"],
            sources=CaseTables([paths["labels"]]),
            levels=LEVELS,
            geometry=Geometry(),
            out_axis=tmp_path / "x",
            out_measures=tmp_path / "y",
        )
