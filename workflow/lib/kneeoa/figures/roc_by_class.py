"""Plot ROC curves of levels with several classes or findings: of each finding, of each class
against the others, of each cut of the grades.
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
from kneeoa.figures.roc import draw_panel
from kneeoa.presentation.arms import MODE, Factors, values_of
from kneeoa.presentation.number_format import format_percent
from kneeoa.tables.statistics import METRICS

FIGURE = {
    "section": "prediction",
    "place": 5,
    "title": "ROC curves by class",
    "caption": (
        "Sensitivity against 1 − specificity of each finding of a multilabel level, of each class of a nominal level against the others, "
        "of each cut of an ordinal level; thin lines are seeds, the bold line is their vertical average.{sample} "
        "Legend: AUC with {confidence} interval."
    ),
    "alternative": "ROC curves, one panel for each finding, class or cut, one colour an arm. The areas are in the table of metrics.",
    "inputs": ["predictions", "metrics"],
    "settings": {"arms": "arms_and_ensembles", "levels": "levels_by_class", "confidence": "confidence", "varied": "varied"},
    "needs": ["levels_by_class"],
}


def figure(
    asked: Sequence[Question],
    metrics: pd.DataFrame,
    arms: Factors,
    figures: Figures,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> Figure:
    """Draw the curves, a panel a question (and backbone, where there are several).

    Args:
        asked: as :func:`kneeoa.figures.binary_questions.questions_of` gives them.
        metrics: METRICS; gives the AUC and its interval in the legend.
        arms: the arms table.
        figures: the look.
        confidence: level of the tables' intervals, as the configuration sets it.
        varied: the factor that figures tell arms apart by, then those that follow it.

    Raises:
        KneeoaError: no arm answers a question.
    """
    blocks, looks = panel_blocks(asked, arms, figures, varied), style.looks(values_of(arms, varied[0]), figures)

    def draw_place(axes: list[Axes], place: Place) -> None:
        question, [axis] = place.question, axes
        draw_panel(axis, question.rows, metrics, place.panel, question.cohort, question.level, question.row.format("auc"), looks, figures)
        axis.set_ylabel("Sensitivity")

    with style.styled(figures):
        result = draw_panels(blocks, [1.0], lambda width: width + 0.82, draw_place)
        style.footnote(result, f"AUC with {format_percent(confidence)} interval. " + cases_note(asked))
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
    """Draw the ROC curves of each class, finding or cut of ``levels`` (as the configuration has
    them) on the test cases, and write them as PDF and PNG.

    Raises:
        KneeoaError: a table is not what it should be, or no arm predicts any of the levels.
    """
    asked = questions_of(predictions, levels, figures.labels)
    style.save(figure(asked, METRICS.read(metrics), arms, figures, confidence, varied), figures, out_pdf, out_png)
