import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from kneeoa.config.analysis import Figures
from kneeoa.figures import reliability
from kneeoa.figures.scores import held_out
from kneeoa.tables.metrics import METRICS
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


def test_bins_have_equal_counts_and_keep_the_totals():
    rng = np.random.default_rng(0)
    truth, probability = rng.integers(0, 2, 61), rng.uniform(size=61)
    bins = reliability.equal_count_bins(truth, probability, 6)
    assert bins.size.max() - bins.size.min() <= 1
    assert bins.observed @ bins.size == pytest.approx(truth.sum())
    assert bins.predicted @ bins.size == pytest.approx(probability.sum())


def test_tied_predictions_do_not_depend_on_the_order_of_the_rows():
    truth = np.array([0, 0, 0, 1, 1, 1, 1, 0])
    probability = np.array([0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9])
    forward = reliability.equal_count_bins(truth, probability, 4)
    backward = reliability.equal_count_bins(truth[::-1], probability[::-1], 4)
    assert forward.observed.tolist() == pytest.approx(backward.observed.tolist())
    assert forward.observed[1] == pytest.approx(4 / 6)


def test_wilson_is_statsmodels_wilson():
    share, size = np.array([0.0, 0.3, 1.0]), np.array([9, 10, 11])
    expected = [proportion_confint(round(s * n), n, alpha=0.1, method="wilson") for s, n in zip(share, size, strict=True)]
    found = list(zip(*reliability.wilson(share, size, 0.9), strict=True))
    assert np.allclose(found, expected, atol=1e-12)


def test_seeds_are_averaged_not_pooled(tmp_path):
    rows = held_out(synthetic.predictions(tmp_path), "oa")
    metrics = METRICS.read(synthetic.metrics(tmp_path))
    figure = reliability.figure(rows, metrics, synthetic.FACTORS, "oa", Figures(), cohort="phantom", bins=5)
    assert "64 knees in 5 bins of equal count, mean over 2 seeds" in figure.get_supxlabel()
    line = figure.axes[0].lines[1]
    runs = [
        reliability.equal_count_bins(run["truth"].to_numpy(), reliability.positive(run), 5)
        for _, run in rows[rows["arm"] == "resnet3d-single_oa"].groupby("seed")
    ]
    assert line.get_ydata() == pytest.approx(np.mean([run.observed for run in runs], axis=0))
    assert clashes(figure) == []
