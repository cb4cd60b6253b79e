import pandas as pd
import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import forest
from kneeoa.tables.statistics import CONTRASTS
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


@pytest.mark.parametrize("extra", [False, True])
def test_every_row_is_printed_and_nothing_overlaps(tmp_path, extra):
    rows = CONTRASTS.read(synthetic.contrasts(tmp_path, extra))
    assert len(rows) == (45 if extra else 21)
    figure = forest.figure(rows, synthetic.FACTORS, Figures())
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert sum(text.startswith("Dual vs ") for text in texts) == len(rows)
    assert texts.count("DeLong") == (rows["test"] == "delong").sum()
    assert len(figure.axes) == (2 if extra else 1)  # errors in grades have an axis of their own
    assert clashes(figure) == []


def test_undefined_values_and_missing_intervals_are_dashes_and_bare_markers():
    rows = pd.DataFrame(
        [
            synthetic.contrast(test="mcnemar", metric="accuracy", low=None, high=None),
            synthetic.contrast(difference=None, low=None, high=None, p=None, p_adjusted=None),
        ]
    )
    figure = forest.figure(rows, synthetic.FACTORS, Figures())
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "+0.060" in texts
    assert texts.count("–") == 3
    assert sum(line.get_marker() == "o" for line in figure.axes[0].lines) == 1


def test_a_marker_is_filled_by_adjusted_p_or_by_p_outside_families():
    rows = pd.DataFrame(
        [
            synthetic.contrast(p=0.01, p_adjusted=0.2),
            synthetic.contrast(p=0.01, p_adjusted=None, adjustment="none", test="delong"),
        ]
    )
    markers = [line for line in forest.figure(rows, synthetic.FACTORS, Figures()).axes[0].lines if line.get_marker() == "o"]
    assert [line.get_markerfacecolor() == "white" for line in markers] == [True, False]


def test_cohorts_are_told_apart():
    rows = pd.DataFrame([synthetic.contrast(), synthetic.contrast(cohort="clinic")])
    texts = [text.get_text() for text in forest.figure(rows, synthetic.FACTORS, Figures()).axes[0].texts]
    assert {"ResNet3D, phantom", "ResNet3D, clinic"} <= set(texts)


def test_no_contrast_is_said():
    with pytest.raises(KneeoaError, match="no rows"):
        forest.figure(pd.DataFrame(columns=CONTRASTS.schema.names), synthetic.FACTORS, Figures())


def test_the_primary_comparison_is_on_top_and_the_table_alone_has_margins_cuts_and_calibration():
    rows = pd.DataFrame(
        [
            synthetic.contrast(metric="f1", family="secondary"),
            synthetic.contrast(metric="calibration_slope", family="secondary"),
            synthetic.contrast(metric="cut_auc_2", family="secondary"),
            synthetic.contrast(test="non_inferiority", family="none", adjustment="none"),
            synthetic.contrast(test="delong", family="none", adjustment="none"),
            synthetic.contrast(test="seeds", family="primary", adjustment="none"),
            synthetic.contrast(metric="brier", family="none", adjustment="none"),
        ]
    )
    shown = forest.select_rows(rows)
    assert list(zip(shown.metric, shown.test, shown.family, strict=True)) == [
        ("auc", "seeds", "primary"),
        ("f1", "bootstrap", "secondary"),
        ("brier", "bootstrap", "none"),
    ]
    titles = [text.get_text() for text in forest.figure(rows, synthetic.FACTORS, Figures()).axes[0].texts]
    assert {"ResNet3D (family: primary)", "ResNet3D (in no family)"} <= set(titles)
