import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import roc
from kneeoa.figures.held_out_predictions import read_predictions
from kneeoa.presentation.summary_rows import summary_row
from kneeoa.tables.statistics import METRICS
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


@pytest.mark.parametrize("ties", [False, True])
def test_area_under_the_corners_is_the_auc(ties):
    rng = np.random.default_rng(0)
    truth, score = rng.integers(0, 2, 80), rng.normal(size=80)
    score = np.round(score, 1) if ties else score
    fpr, tpr = roc.roc_curve(truth, score)
    assert np.trapezoid(tpr, fpr) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)


def test_mean_of_equal_curves_is_the_curve_and_of_two_has_the_mean_area():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 60)
    curves = [roc.roc_curve(truth, rng.normal(size=60) + truth) for _ in range(2)]
    same = roc.mean_curve([curves[0], curves[0]])
    assert np.trapezoid(same[1], same[0]) == pytest.approx(np.trapezoid(curves[0][1], curves[0][0]), abs=1e-12)
    mean = roc.mean_curve(curves)
    assert np.trapezoid(mean[1], mean[0]) == pytest.approx(np.mean([np.trapezoid(t, f) for f, t in curves]), abs=1e-12)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("roc")
    return synthetic.predictions(folder), synthetic.metrics(folder)


def test_a_level_is_read_from_the_arms_own_head_else_from_the_finer_one(tables):
    rows = read_predictions(tables[0], "oa")
    heads = rows.groupby("arm")["head"].unique().map(list).to_dict()
    assert heads["m3t-dual"] == heads["m3t-single_oa"] == ["oa"]
    assert heads["m3t-single_kl"] == ["kl"]
    assert len(rows) == 9 * 2 * 64


def test_the_mean_over_seeds_speaks_for_an_arm(tables):
    row = summary_row(METRICS.read(tables[1]), "m3t-dual", "oa", "auc", "phantom")
    assert row is not None
    assert (int(row["seeds"]), row["head"]) == (2, "oa")


def test_figure_prints_the_tables_auc_and_nothing_overlaps(tables):
    metrics = METRICS.read(tables[1])
    figure = roc.figure(read_predictions(tables[0], "oa"), metrics, synthetic.FACTORS, "oa", Figures())
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["ResNet3D", "M3T", "nnMamba"]
    row = summary_row(metrics, "m3t-dual", "oa", "auc", "phantom")
    legend = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert f"Dual {row['estimate']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" in legend
    note = figure.get_supxlabel()
    assert "64 knees (40 positive) of 52 subjects" in note
    assert "Single-KL: summed from the KL head" in note
    assert clashes(figure) == []


def test_draw_writes_both_formats(tables, tmp_path):
    roc.draw(*tables, synthetic.FACTORS, "oa", Figures(dpi=40), tmp_path / "a.pdf", tmp_path / "a.png")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_level_that_nobody_predicts_is_said(tables, tmp_path):
    with pytest.raises(KneeoaError, match="no arm has test predictions of the level 'knee'"):
        roc.draw(*tables, synthetic.FACTORS, "knee", Figures(), tmp_path / "a.pdf", tmp_path / "a.png")
