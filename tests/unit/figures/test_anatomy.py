import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import anatomy
from kneeoa.tables.saliency import ANATOMY
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return ANATOMY.read(synthetic.anatomy(tmp_path_factory.mktemp("anatomy")))


@pytest.fixture(scope="module")
def drawn(table):
    return anatomy.figure(table, synthetic.FACTORS, Figures())


def test_arms_stand_beside_chance_null_and_contrasts(drawn):
    assert [axes.get_title(loc="left") for axes in drawn.axes] == [
        "Cartilage: arms",
        "Cartilage: differences",
        "Bone: arms",
        "Bone: differences",
    ]
    arms, differences = drawn.axes[:2]
    assert sum(list(line.get_xdata()) == [1.0, 1.0] for line in arms.lines) == 9
    assert sum(list(line.get_xdata()) == [1.15] for line in arms.lines) == 9
    assert [label.get_text() for label in differences.get_yticklabels()][3:5] == ["Dual vs Single-OA", "Dual vs Single-KL"]
    assert sum(text.get_text() == "p .030" for text in differences.texts) == 6
    assert arms.get_xlim()[0] == 0
    assert "50 subjects (60 knees, 2 seeds)" in drawn.get_supxlabel()
    assert clashes(drawn) == []


def test_headings_of_arms_and_contrasts_are_level(drawn):
    heights = [{label.get_text(): tick for tick, label in zip(a.get_yticks(), a.get_yticklabels(), strict=True)} for a in drawn.axes[:2]]
    assert [heights[0][name] for name in ("ResNet3D", "M3T", "nnMamba")] == [heights[1][name] for name in ("ResNet3D", "M3T", "nnMamba")]


def test_a_study_without_contrasts_has_one_column(table):
    assert len(anatomy.figure(table[(table["kind"] == "arm") & (table["tissue"] == "bone")], synthetic.FACTORS, Figures()).axes) == 1


def test_an_unknown_measure_is_said(table):
    with pytest.raises(KneeoaError, match="measure 'iou'"):
        anatomy.figure(table, synthetic.FACTORS, Figures(), "iou")
