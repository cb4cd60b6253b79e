"""METRICS: the right rows, values and intervals, for single runs, several seeds and imports."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from kneeoa.atomic_io import sha256_file
from kneeoa.config.metrics import metrics_of, rows_of
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.statistics.delong import auc_interval
from kneeoa.tables.statistics import METRICS

FEW = Statistics(resamples=200)


def build(tmp_path, levels, files, statistics=FEW) -> pd.DataFrame:
    build_metrics(files, levels, statistics, tmp_path / "metrics.parquet")
    return METRICS.read(tmp_path / "metrics.parquet")


def arrays(frame, level, head) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = frame[(frame.level == level) & (frame["head"] == head)]
    return np.array([t[0] for t in rows.truth]), np.array(rows.probabilities.to_list()), rows.subject.to_numpy(dtype=str)


def test_every_head_seed_and_mean_has_its_metrics(tmp_path, levels, make, save) -> None:
    rows = build(tmp_path, levels, save(make("dual", ("oa", "kl"), 0), make("dual", ("oa", "kl"), 1)))
    graded = [name for metric in metrics_of("ordinal") for name in rows_of(metric, levels[1])]
    expected = {("oa", "oa"): set(metrics_of("binary", True)), ("oa", "kl"): set(metrics_of("binary")), ("kl", "kl"): set(graded)}
    assert len(rows) == 3 * sum(len(names) for names in expected.values())
    for (level, head), part in rows.groupby(["level", "head"]):
        assert set(part.metric) == expected[level, head]
        assert part.seeds[part.seed.isna()].eq(2).all()
        assert part.seeds[part.seed.notna()].eq(1).all()
    assert (rows.cases == 60).all()
    assert (rows.subjects == 30).all()
    limited = rows[~rows.metric.str.startswith("calibration_error") & rows.estimate.between(0, 1, inclusive="neither")]
    assert (limited.low < limited.estimate).all()
    assert (limited.estimate < limited.high).all()


def test_values_are_the_references_and_the_mean_is_of_metrics(tmp_path, levels, make, save) -> None:
    runs = [make("dual", ("oa", "kl"), seed) for seed in (0, 1)]
    rows = build(tmp_path, levels, save(*runs)).set_index(["level", "head", "metric", "seed"]).estimate
    auc, f1 = [], []
    for seed, run in enumerate(runs):
        truth, probabilities, _ = arrays(run, "oa", "kl")
        auc.append(roc_auc_score(truth, probabilities[:, 1]))
        truth, probabilities, _ = arrays(run, "kl", "kl")
        f1.append(f1_score(truth, probabilities.argmax(1), average="macro"))
        assert rows["oa", "kl", "auc", seed] == pytest.approx(auc[-1])
        assert rows["kl", "kl", "macro_f1", seed] == pytest.approx(f1[-1])
    means = build(tmp_path, levels, save(*runs))
    means = means[means.seed.isna()].set_index(["level", "head", "metric"]).estimate
    assert means["oa", "kl", "auc"] == pytest.approx(np.mean(auc))
    assert means["kl", "kl", "macro_f1"] == pytest.approx(np.mean(f1))


def test_auc_interval_is_clustered_delong_on_the_logit_scale(tmp_path, levels, make, save) -> None:
    run = make("single", ("oa",))
    rows = build(tmp_path, levels, save(run))
    row = rows[(rows.metric == "auc") & (rows.seed == 0)].iloc[0]
    truth, probabilities, subjects = arrays(run, "oa", "oa")
    expected = auc_interval(truth, probabilities[:, 1], subjects)
    assert (row.low, row.high, row.interval) == (pytest.approx(expected.low), pytest.approx(expected.high), "logit-delong")
    kinds = rows[rows.seed == 0].set_index("metric").interval
    assert set(kinds[["accuracy", "f1", "brier", "scaled_brier"]]) == {"cluster-bootstrap"}
    assert set(kinds[["sensitivity", "specificity"]]) == {"wilson"}
    assert kinds["calibration_slope"] == "wald-influence"


def test_an_import_has_one_row_a_metric(tmp_path, levels, make, save) -> None:
    rows = build(tmp_path, levels, save(make("old", ("oa",), None)))
    assert len(rows) == len(metrics_of("binary"))
    assert rows.seed.isna().all()
    assert (rows.seeds == 1).all()


def test_val_and_test_of_every_cohort_but_never_train(tmp_path, levels, make, save) -> None:
    files = save(*(make("a", ("oa",), cohort=c, split=s) for c, s in [("c", "test"), ("c", "val"), ("c", "train"), ("d", "test")]))
    rows = build(tmp_path, levels, files)
    assert set(zip(rows.cohort, rows.split, strict=True)) == {("c", "test"), ("c", "val"), ("d", "test")}


def test_undefined_values_are_null_and_say_why(tmp_path, levels, make, save) -> None:
    run = make("a", ("kl",))
    keep = run.case_id.isin([f"c-test-{i:03d}" for i in range(60) if i % 5 in (2, 3)])
    rows = build(tmp_path, levels, save(run[keep])).set_index(["level", "metric", "seeds"])
    rows = rows[rows.seed.isna()]
    auc = rows.loc["oa", "auc", 1]
    assert pd.isna(auc.estimate)
    assert auc.note == "no case of class no: undefined"
    assert rows.loc["kl", "macro_auc", 1].note.startswith("no case of class 0, 1, 4: undefined")
    assert pd.notna(rows.loc["kl", "macro_f1", 1].estimate)
    assert rows.loc["kl", "macro_f1", 1].note.startswith("no case of class 0, 1, 4")


def test_unread_labels_are_left_out_and_counted(tmp_path, levels, make, save) -> None:
    run = make("a", ("oa",))
    run.at[3, "truth"] = [None]
    rows = build(tmp_path, levels, save(run))
    assert (rows.cases == 59).all()
    assert rows.note.str.contains("1 cases without a label left out").all()


def test_threshold_comes_from_the_configuration(tmp_path, levels, make, save) -> None:
    run = make("a", ("oa",))
    truth, probabilities, _ = arrays(run, "oa", "oa")
    rows = build(tmp_path, levels, save(run), Statistics(resamples=50, threshold=0.8))
    assert rows[rows.metric == "accuracy"].estimate.iloc[0] == pytest.approx(np.mean((probabilities[:, 1] >= 0.8) == truth))


def test_row_order_does_not_matter_and_bytes_repeat(tmp_path, levels, make, save) -> None:
    run = make("a", ("oa", "kl"))
    build(tmp_path, levels, save(run))
    first = sha256_file(tmp_path / "metrics.parquet")
    build(tmp_path, levels, save(run.sample(frac=1, random_state=0)))
    assert sha256_file(tmp_path / "metrics.parquet") == first
