"""Plot reliability curves of levels with several classes or findings: of each finding, of each
class, of each cut of the grades.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.figures import style
from kneeoa.figures.binary_questions import Place, Question, cases_note, draw_panels, panel_blocks, questions_of
from kneeoa.figures.reliability import draw_curves, draw_histogram
from kneeoa.presentation.arms import MODE, Factors, values_of
from kneeoa.presentation.number_format import format_percent
from kneeoa.tables.statistics import METRICS

FIGURE = {
    "section": "prediction",
    "place": 6,
    "title": "Reliability by class",
    "caption": (
        "Observed share against mean predicted probability of each finding, class or cut of the grades, in bins of equal count, with "
        "Wilson {confidence} intervals; below, the histogram of predictions. The diagonal is perfect calibration.{sample} Legend, of "
        "findings: Brier score with {confidence} interval."
    ),
    "alternative": "Calibration curves, one panel for each finding, class or cut, one colour an arm, with histograms below.",
    "inputs": ["predictions", "metrics"],
    "settings": {"arms": "arms_and_ensembles", "levels": "levels_by_class", "confidence": "confidence", "varied": "varied"},
    "needs": ["levels_by_class"],
}

_BINS = 6


def figure(
    asked: Sequence[Question],
    metrics: pd.DataFrame,
    arms: Factors,
    figures: Figures,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> Figure:
    """Draw the curves, a panel a question (and backbone, where there are several), as
    :func:`kneeoa.figures.reliability.figure` draws them of a binary level.

    Args:
        asked: as :func:`kneeoa.figures.binary_questions.questions_of` gives them.
        metrics: METRICS; gives the Brier score of a finding in the legend.
        arms: the arms table.
        figures: the look.
        confidence: level of the intervals, as the configuration sets it.
        varied: the factor that figures tell arms apart by, then those that follow it.

    Raises:
        KneeoaError: no arm answers a question.
    """
    blocks, looks = panel_blocks(asked, arms, figures, varied), style.looks(values_of(arms, varied[0]), figures)

    def draw_place(axes: list[Axes], place: Place) -> None:
        question, (curves, histogram) = place.question, axes
        row = question.row.format("brier")
        draw_curves(curves, question.rows, metrics, place.panel, question.cohort, question.level, row, looks, figures, _BINS, confidence)
        draw_histogram(histogram, question.rows, place.panel, looks)
        style.draw_legend_below(histogram, 0.38, curves.get_legend_handles_labels()[0])
        histogram.set_ylim(bottom=0)
        curves.set_ylabel("Observed share")
        histogram.set_ylabel("Share of\nknees")

    with style.styled(figures):
        result = draw_panels(blocks, [3.2, 1.0], lambda width: width * 1.3 + 0.85, draw_place)
        bins = f"{_BINS} bins of equal count; bars: Wilson {format_percent(confidence)} interval by subject. "
        style.footnote(result, bins + cases_note(asked))
    return result


def draw(
    predictions: Sequence[Path],
    metrics: Path,
    arms: Factors,
    levels: Sequence[Mapping[str, Any]],
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw the reliability of each class, finding or cut of ``levels`` (as the configuration has
    them) on the test cases, and write it as PDF and PNG.

    Raises:
        KneeoaError: a table is not what it should be, or no arm predicts any of the levels.
    """
    asked = questions_of(predictions, levels, figures.labels)
    style.save(figure(asked, METRICS.read(metrics), arms, figures, confidence, varied), figures, out_pdf, out_png)
