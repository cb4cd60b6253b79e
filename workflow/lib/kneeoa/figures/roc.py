"""Plot ROC curves of a binary level: a panel a backbone, a colour a mode (or what the contrasts
vary instead); seeds thin, their mean bold.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.held_out_predictions import derived_note, positive_odds, read_predictions
from kneeoa.presentation.arms import MODE, Factors, Panel, display_value, panels_of, values_of
from kneeoa.presentation.display_names import count_noun, display_name
from kneeoa.presentation.number_format import format_interval, format_percent
from kneeoa.presentation.summary_rows import summary_row
from kneeoa.tables.statistics import METRICS

FIGURE = {
    "section": "prediction",
    "place": 1,
    "title": "ROC curves",
    "caption": (
        "Sensitivity against 1 − specificity; thin lines are seeds, the bold line is their vertical average.{sample} "
        "Legend: AUC with {auc_interval}."
    ),
    "alternative": "ROC curves, one colour for each value of the factor that is compared. The areas are in the table of metrics.",
    "inputs": ["predictions", "metrics"],
    "settings": {"arms": "arms_and_ensembles", "level": "binary_level", "confidence": "confidence", "varied": "varied"},
    "needs": ["binary_level"],
}

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def roc_curve(truth: NDArray[np.integer], score: NDArray[np.floating]) -> Curve:
    """Return the corners of the empirical ROC curve, from (0, 0) to (1, 1); tied scores are one
    diagonal step, as the AUC counts them.

    Args:
        truth: 0 or 1, shape ``[n]``; both classes must occur.
        score: higher is more positive, shape ``[n]``.

    Returns:
        False- and true-positive rates, one entry per distinct score plus the origin.
    """
    order = np.argsort(-score, kind="stable")
    hits, last = truth[order] == 1, np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    true_positives, false_positives = np.cumsum(hits)[last], np.cumsum(~hits)[last]
    rates = (np.append(0, false_positives) / false_positives[-1], np.append(0, true_positives) / true_positives[-1])
    return rates[0].astype(np.float64), rates[1].astype(np.float64)


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Average curves vertically: the mean true-positive rate at each false-positive rate (Fawcett
    2006, Pattern Recognit Lett 27:861, algorithm 3).

    Where a curve rises straight up, its upper end counts, so that the average of one curve's steps
    is that curve.
    """
    grid = np.unique(np.concatenate([fpr for fpr, _ in curves]))
    lower, upper = np.mean([_ends(curve, grid) for curve in curves], axis=0)
    return np.repeat(grid, 2), np.ravel(np.column_stack([lower, upper]))


def _ends(curve: Curve, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights of the curve at ``grid``, shape ``[2, grid]``: the lower and the upper end, which
    differ where it rises vertically.
    """
    fpr, tpr = curve
    first, last = np.searchsorted(fpr, grid, "left"), np.searchsorted(fpr, grid, "right") - 1
    corner, between = first <= last, np.interp(grid, fpr, tpr)
    return np.stack([np.where(corner, tpr[np.minimum(first, last)], between), np.where(corner, tpr[last], between)])


def figure(
    predictions: pd.DataFrame,
    metrics: pd.DataFrame,
    arms: Factors,
    level: str,
    figures: Figures,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> Figure:
    """Draw the curves: a panel a backbone, three beside each other; each cohort begins a row.

    Args:
        predictions: as :func:`kneeoa.figures.held_out_predictions.read_predictions` gives them, of
            a binary level.
        metrics: METRICS; gives the AUC and its interval in the legend.
        arms: the arms table.
        level: a binary level.
        figures: the look.
        confidence: level of the tables' intervals, as the configuration sets it.
        varied: the factor that figures tell arms apart by, then those that follow it.
    """
    present = set(predictions["arm"].unique())
    groups = panels_of(present, arms, figures.labels, varied)
    cohorts = sorted(set(predictions["cohort"].unique()))
    if not groups:
        raise KneeoaError(f"no arm has test predictions of the level '{level}'; nothing to draw an ROC curve of.")
    looks = style.looks(values_of(arms, varied[0]), figures)
    with style.styled(figures):
        width = style.FULL_WIDTH if len(groups) > 1 else style.FULL_WIDTH * 0.5
        lines, columns = style.grid(len(groups), style.ABREAST)
        result = style.new_figure(width, (width / columns + 0.82) * lines * len(cohorts) + 0.25)
        axes = result.subplots(lines * len(cohorts), columns, squeeze=False, sharey=True)
        for cohort, block in zip(cohorts, axes.reshape(len(cohorts), lines * columns), strict=True):
            rows = predictions[predictions["cohort"] == cohort]
            for axis, panel in style.axes_of_panels(block, groups):
                draw_panel(axis, rows, metrics, panel, cohort, level, "auc", looks, figures)
                if len(cohorts) > 1:
                    axis.set_title(style.wrap_title(f"{panel.title}, {display_name(cohort, figures.labels)}"))
        for first in axes[:, 0]:
            first.set_ylabel("Sensitivity")
        style.footnote(result, _note(predictions, confidence) + derived_note(predictions, arms, level, figures.labels))
    return result


def draw_panel(
    axis: Axes,
    rows: pd.DataFrame,
    metrics: pd.DataFrame,
    panel: Panel,
    cohort: str,
    level: str,
    metric: str,
    looks: dict[str, style.Look],
    figures: Figures,
) -> None:
    """Draw the curves of one panel's arms, from rows of a yes-or-no question; the legend gives the
    row ``metric`` of METRICS where there is one.
    """
    handles: list[Any] = []
    for mode, arm in panel.arms.items():
        arm_rows, look = rows[rows["arm"] == arm], looks[mode]
        curves = [
            roc_curve(seed["truth"].to_numpy(), positive_odds(seed)) for _, seed in arm_rows.groupby("seed") if seed["truth"].nunique() == 2
        ]
        if not curves:
            continue
        if len(curves) > 1:
            for fpr, tpr in curves:
                axis.plot(fpr, tpr, color=look.colour, linewidth=0.6, alpha=0.45)
        summary = summary_row(metrics, arm, level, metric, cohort)
        value = "" if summary is None else " " + format_interval(summary["estimate"], summary["low"], summary["high"], 2)
        mean = mean_curve(curves) if len(curves) > 1 else curves[0]
        handles += axis.plot(
            *mean, color=look.colour, linestyle=look.dash, linewidth=1.6, label=display_value(panel.factor, mode, figures.labels) + value
        )
    if not handles:
        missing = "positive" if not rows["truth"].any() else "negative"
        style.blank_panel(axis, f"no curve: no {missing} case")
        axis.set_title(style.wrap_title(panel.title))
        return
    axis.plot([0, 1], [0, 1], color=style.RULE, linewidth=0.8, zorder=0)
    axis.set(
        title=style.wrap_title(panel.title),
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
        xticks=[0, 0.5, 1],
        yticks=[0, 0.5, 1],
        xlabel="1 − specificity",
    )
    style.draw_legend_below(axis, 0.38, handles, handletextpad=0.6)


def _note(rows: pd.DataFrame, confidence: float) -> str:
    cases, subjects = rows[["cohort", "case_id"]].drop_duplicates(), rows[["cohort", "subject"]].drop_duplicates()
    positives = int(rows.drop_duplicates(["cohort", "case_id"])["truth"].sum())
    seeds = rows["seed"].nunique()
    curves = f"; thin: each of {seeds} seeds, bold: their mean" if seeds > 1 else ""
    knees = f"{count_noun(len(cases), 'knee')} ({positives:,} positive) of {count_noun(len(subjects), 'subject')}"
    return f"AUC with {format_percent(confidence)} interval. {knees}{curves}."


def draw(
    predictions: Sequence[Path],
    metrics: Path,
    arms: Factors,
    level: str,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw the ROC curves of a binary ``level`` on the test cases and write them as PDF and PNG.

    ``confidence`` is the level of the intervals in ``metrics``, as the configuration sets it.

    Raises:
        KneeoaError: a table is not what it should be, or no arm predicts the level.
    """
    result = figure(read_predictions(predictions, level), METRICS.read(metrics), arms, level, figures, confidence, varied)
    style.save(result, figures, out_pdf, out_png)
