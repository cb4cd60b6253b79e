import pandas as pd
import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import learning
from kneeoa.figures.style import fix_layout
from kneeoa.tables.runs import HISTORY
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    return HISTORY.concat(synthetic.histories(tmp_path_factory.mktemp("learning"), epochs=6))


def test_each_level_has_its_own_loss_and_measure(history):
    assert learning.rows_shown(history) == [("oa", "loss"), ("kl", "loss"), ("oa", "auc"), ("kl", "accuracy")]
    totals = history[(history["level"] == "total") | (history["measure"] == "auc")]
    assert learning.rows_shown(totals) == [("total", "loss"), ("oa", "auc")]


def test_the_marked_epoch_has_the_lowest_total_validation_loss(history):
    best = learning.best_epochs(history)
    losses = history[(history["arm"] == "m3t-dual") & (history["seed"] == 2) & (history["split"] == "val") & (history["measure"] == "loss")]
    total = losses[losses["level"] == "total"].set_index("epoch")["value"]
    assert best["m3t-dual", 2] == total.idxmin()
    assert len(best) == 18


def test_training_is_dashed_validation_solid_and_a_seed_is_a_line(history):
    figure = learning.figure(history, synthetic.FACTORS, Figures())
    bundles = figure.axes[0].collections
    assert len(bundles) == 2 * 2  # single-OA and dual have this loss; two splits
    assert all(len(bundle.get_segments()) == 2 and len(curve) == 6 for bundle in bundles for curve in bundle.get_segments())
    assert [bundle.get_linestyle()[0][1] is None for bundle in bundles] == [False, True] * 2  # training, then validation
    arm_rows = history[(history["arm"] == "resnet3d-single_oa") & (history["level"] == "oa") & (history["split"] == "val")]
    arm_rows = arm_rows[(arm_rows["seed"] == 2) & (arm_rows["measure"] == "loss")].sort_values("epoch")
    assert bundles[1].get_segments()[1].tolist() == arm_rows[["epoch", "value"]].to_numpy(dtype=float).tolist()
    assert all(axes.get_ylim()[0] == 0 for axes in figure.axes[:6])
    assert clashes(figure) == []


@pytest.mark.parametrize("dpi", [80, 150, 300])
def test_the_legend_of_a_single_arm_lies_within_the_page(history, dpi):
    figures = Figures(dpi=dpi)
    figure = learning.figure(history[history["arm"] == "m3t-dual"], synthetic.FACTORS, figures)
    fix_layout(figure, figures)
    (legend,) = figure.legends
    extent = legend.get_window_extent()
    assert figure.bbox.x0 <= extent.x0
    assert extent.x1 <= figure.bbox.x1
    assert extent.y1 <= figure.bbox.y1


def test_no_history_is_said():
    with pytest.raises(KneeoaError, match="no loss of any arm"):
        learning.figure(pd.DataFrame(columns=HISTORY.schema.names), synthetic.FACTORS, Figures())
