"""Levels of several classes without an order: metrics of all classes and of each against the rest,
measured and compared.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import class_of, metric_of_row, metrics_of, rows_of
from kneeoa.config.statistics import Contrast, Primary, Statistics
from kneeoa.contrasts.build import build_contrasts
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.statistics.delong import delong_test
from kneeoa.tables.statistics import CONTRASTS, METRICS

NAMES = ("medial", "lateral", "patellar")
LEVEL = Level(name="kl", kind="multiclass", classes=NAMES)
ARMS = {"n-a": {"backbone": "n", "mode": "a"}, "n-b": {"backbone": "n", "mode": "b"}}
TESTS = {
    "macro_auc": ("delong",),
    "weighted_auc": ("delong",),
    "auc": ("delong", "bootstrap"),
    "kappa": ("bootstrap", "delta"),
    "ppv": ("delta",),
    "accuracy": ("mcnemar",),
}


def predictions(make, arm: str, skill: float, noise: int, seed: int = 0) -> pd.DataFrame:
    """Three classes from the five of the ordinal head."""
    frame = make(arm, ("kl",), seed, skill=skill, noise=noise, n=90)
    frame = frame[frame.level == "kl"].reset_index(drop=True)
    frame["truth"] = [[min(labels[0], 2)] for labels in frame.truth]
    frame["probabilities"] = [[p[0], p[1], float(p[2] + p[3] + p[4])] for p in frame.probabilities]
    return frame


def arrays(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([labels[0] for labels in frame.truth]), np.array(frame.probabilities.to_list()), frame.subject.to_numpy(dtype=str)


def contrasts(tmp_path, save, frames, tests=TESTS, **options) -> pd.DataFrame:
    contrast = Contrast(name="a-b", level="kl", candidate="a", reference="b", tests=tests)
    build_contrasts(save(*frames), ARMS, (LEVEL,), Statistics(resamples=200, contrasts=(contrast,), **options), tmp_path / "c.parquet")
    return CONTRASTS.read(tmp_path / "c.parquet").set_index(["metric", "test"])


def test_values_of_classes_and_of_all_are_scikit_learns(tmp_path, make, save) -> None:
    frame = predictions(make, "n-a", 1.2, 1)
    build_metrics(save(frame), (LEVEL,), Statistics(resamples=50), tmp_path / "m.parquet")
    rows = METRICS.read(tmp_path / "m.parquet")
    rows = rows[rows.seed.isna()].set_index("metric")
    assert set(rows.index) == {name for metric in metrics_of("multiclass") for name in rows_of(metric, LEVEL)}
    truth, probabilities, _ = arrays(frame)
    called = probabilities.argmax(axis=1)
    for number, name in enumerate(NAMES):
        one, calls = truth == number, called == number
        expected = {
            "auc": roc_auc_score(one, probabilities[:, number]),
            "average_precision": average_precision_score(one, probabilities[:, number]),
            "sensitivity": recall_score(one, calls),
            "specificity": recall_score(~one, ~calls),
            "ppv": precision_score(one, calls),
            "npv": precision_score(~one, ~calls),
            "prevalence": one.mean(),
        }
        for metric, value in expected.items():
            row = rows.loc[f"{metric}[{name}]"]
            assert row.estimate == pytest.approx(value)
            assert row.low < value < row.high
    shares = np.bincount(truth) / truth.size
    assert rows.estimate["weighted_auc"] == pytest.approx(shares @ [rows.estimate[f"auc[{name}]"] for name in NAMES])
    assert rows.estimate["kappa"] == pytest.approx(cohen_kappa_score(truth, called))
    assert rows.estimate["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, called))


def test_each_class_has_delongs_test_against_the_rest(tmp_path, make, save) -> None:
    frames = [predictions(make, "n-a", 1.4, 1), predictions(make, "n-b", 0.8, 2)]
    rows = contrasts(tmp_path, save, frames)
    (truth, a, subjects), (_, b, _) = (arrays(frame) for frame in frames)
    for number, name in enumerate(NAMES):
        expected = delong_test(truth == number, a[:, number], b[:, number], subjects)
        row = rows.loc[f"auc[{name}]", "delong"]
        assert (row.difference, row.p) == pytest.approx((expected.difference, expected.p))
        one, calls = truth == number, [p.argmax(axis=1) == number for p in (a, b)]
        row = rows.loc[f"ppv[{name}]", "delta"]
        assert row.difference == pytest.approx(precision_score(one, calls[0]) - precision_score(one, calls[1]))
        assert 0 < row.p < 1
    assert rows.loc["macro_auc", "delong"].difference == pytest.approx(
        np.mean([rows.loc[f"auc[{name}]", "delong"].difference for name in NAMES])
    )
    for name in ("kappa", "auc[medial]"):
        row = rows.loc[name, "bootstrap"]
        assert row.low < row.difference < row.high


def test_errors_are_those_of_a_jackknife_over_people(tmp_path, make, save) -> None:
    frames = [predictions(make, "n-a", 1.4, 1), predictions(make, "n-b", 0.8, 2)]
    rows = contrasts(tmp_path, save, frames)
    (truth, a, subjects), (_, b, _) = (arrays(frame) for frame in frames)

    def one_auc(t, p, number):
        return np.mean(p[t == number, number][:, None] > p[t != number, number])

    measures = {
        ("macro_auc", "delong"): lambda t, p: np.mean([one_auc(t, p, number) for number in range(3)]),
        ("auc[lateral]", "delong"): lambda t, p: one_auc(t, p, 1),
        ("kappa", "delta"): lambda t, p: cohen_kappa_score(t, p.argmax(axis=1)),
        ("ppv[medial]", "delta"): lambda t, p: np.mean(t[p.argmax(axis=1) == 0] == 0),
    }
    for key, measure in measures.items():
        values = []
        for person in np.unique(subjects):
            kept = subjects != person
            values.append(measure(truth[kept], a[kept]) - measure(truth[kept], b[kept]))
        count = len(values)
        expected = np.sqrt((count - 1) / count * np.sum((np.array(values) - np.mean(values)) ** 2))
        assert rows.loc[key].standard_error == pytest.approx(expected, rel=0.06)


def test_what_has_no_value_says_why(tmp_path, make, save) -> None:
    frame = predictions(make, "n-a", 1.2, 1)
    frame = frame[[labels[0] != 1 for labels in frame.truth]].reset_index(drop=True)
    frame["probabilities"] = [[p[0] + p[1], 0.0, p[2]] for p in frame.probabilities]
    build_metrics(save(frame), (LEVEL,), Statistics(resamples=50), tmp_path / "m.parquet")
    rows = METRICS.read(tmp_path / "m.parquet")
    rows = rows[rows.seed.isna()].set_index("metric")
    for metric, why in (
        ("auc", "no case of class lateral: undefined"),
        ("average_precision", "no case of class lateral: undefined"),
        ("sensitivity", "undefined: no case is positive"),
        ("ppv", "undefined: no case is called positive"),
    ):
        assert pd.isna(rows.estimate[f"{metric}[lateral]"])
        assert rows.note[f"{metric}[lateral]"].startswith(why)
    assert rows.estimate["prevalence[lateral]"] == 0.0
    assert rows.estimate["npv[lateral]"] == 1.0


def test_a_primary_metric_of_classes_is_a_family_of_them(tmp_path, make, save) -> None:
    frames = [predictions(make, "n-a", 1.4, 1), predictions(make, "n-b", 0.8, 2)]
    rows = contrasts(tmp_path, save, frames, {"auc": ("delong",)}, primary=Primary(contrast="a-b", metric="auc"))
    assert set(rows.family) == {"primary"}
    assert set(rows.adjustment) == {"holm"}
    assert set(rows.m) == {3}


def test_seeds_and_ordinal_levels_have_rows_of_classes_too(tmp_path, make, save, levels) -> None:
    frames = [make(f"n-{mode}", ("kl",), seed, noise=noise) for mode, noise in (("a", 1), ("b", 2)) for seed in (1, 2, 3)]
    contrast = Contrast(name="a-b", level="kl", candidate="a", reference="b", tests={"auc": ("delong",)})
    build_contrasts(save(*frames), ARMS, levels, Statistics(resamples=50, contrasts=(contrast,)), tmp_path / "c.parquet")
    rows = CONTRASTS.read(tmp_path / "c.parquet").set_index(["metric", "test"])
    assert len(rows) == 10
    assert rows.loc["auc[4]", "seeds"].low < rows.loc["auc[4]", "seeds"].difference < rows.loc["auc[4]", "seeds"].high


def test_names_of_rows_are_taken_apart() -> None:
    assert (metric_of_row("auc[a_b]"), class_of("auc[a_b]")) == ("auc", "a_b")
    assert (metric_of_row("cut_auc_2"), class_of("cut_auc_2")) == ("cut_auc", None)
    assert class_of("ppv[grade [2]]") == "grade [2]"
    assert class_of("region[1]") is None
