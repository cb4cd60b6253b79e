import numpy as np
import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import axis
from kneeoa.tables.geometry import AXIS, GEOMETRY
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    placed, measures = synthetic.geometry(tmp_path_factory.mktemp("axis"))
    return AXIS.concat(placed), GEOMETRY.concat(measures)


@pytest.fixture(scope="module")
def drawn(tables):
    return axis.figure(*tables, synthetic.FACTORS, "pc1", "kl", [f"KL {grade}" for grade in range(5)], Figures(), cohort="phantom")


def test_panels_show_the_lowest_seed_and_print_every_seeds_correlation(tables, drawn):
    assert len(drawn.axes) == 18
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == [f"KL {grade}" for grade in range(5)]
    placed, measures = tables
    expected = placed[(placed["arm"] == "resnet3d-single_oa") & (placed["seed"] == 1) & (placed["axis"] == "pc1")]
    points = np.asarray(drawn.axes[0].collections[0].get_offsets())
    assert sorted(points[:, 0]) == pytest.approx(sorted(expected["position"]))
    rho = measures[(measures["arm"] == "resnet3d-single_oa") & (measures["against"] == "kl") & (measures["axis"] == "pc1")]["estimate"]
    assert f"seeds {rho.min():.2f}–{rho.max():.2f}" in drawn.axes[0].texts[0].get_text()
    assert clashes(drawn) == []


def test_strips_mark_each_grades_median(tables, drawn):
    placed = tables[0]
    expected = placed[(placed["arm"] == "resnet3d-single_oa") & (placed["seed"] == 1) & (placed["axis"] == "pc1")]
    medians = expected.groupby("grade")["position"].median().tolist()
    joined = drawn.axes[3].lines[-1]
    assert list(joined.get_xdata()) == pytest.approx(medians)


def test_an_axis_that_no_arm_has_is_said(tables):
    with pytest.raises(KneeoaError, match="axis 'lda'"):
        axis.figure(*tables, synthetic.FACTORS, "lda", "kl", list("01234"), Figures(), cohort="phantom")
