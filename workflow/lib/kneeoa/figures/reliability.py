"""Plot reliability curves of a binary level: observed share against predicted probability, with the
histogram of predictions below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.held_out_predictions import derived_note, positive_probability, read_predictions
from kneeoa.presentation.arms import MODE, Factors, Panel, display_value, panels_of, values_of
from kneeoa.presentation.display_names import count_noun, display_name
from kneeoa.presentation.number_format import format_interval, format_percent
from kneeoa.presentation.summary_rows import summary_row
from kneeoa.statistics.reliability import ReliabilityCurve, reliability_curve
from kneeoa.tables.statistics import METRICS

FIGURE = {
    "section": "prediction",
    "place": 2,
    "title": "Reliability",
    "caption": (
        "Observed share against mean predicted probability in bins of equal count, with Wilson {confidence} intervals; below, the "
        "histogram of predictions. The diagonal is perfect calibration.{sample}"
    ),
    "alternative": "Calibration curves, one colour for each value of the factor that is compared, with histograms below.",
    "inputs": ["predictions", "metrics"],
    "settings": {"arms": "arms_and_ensembles", "level": "binary_level", "confidence": "confidence", "varied": "varied"},
    "needs": ["binary_level"],
}


def mean_curve(rows: pd.DataFrame, bins: int, confidence: float) -> ReliabilityCurve:
    """Average the reliability curves of an arm's seeds
    (:func:`kneeoa.statistics.reliability.reliability_curve`) bin by bin.

    Seeds are never pooled as cases. Their curves are averaged where they have the same number of
    bins; where ties leave some seed fewer, only those with the most bins count. Limits are the
    means of the seeds' limits, over the subjects of a bin; counts are the first seed's.

    Args:
        rows: one arm's rows of :func:`kneeoa.figures.held_out_predictions.read_predictions`.
        bins: equal-count bins asked for.
        confidence: of the intervals.
    """
    curves = [
        reliability_curve(
            run["truth"].to_numpy(), positive_probability(run), bins, "equal_count", run["subject"].to_numpy(dtype=str), confidence
        )
        for _, run in rows.groupby("seed")
    ]
    most = max(curve.cases.size for curve in curves)
    curves = [curve for curve in curves if curve.cases.size == most]
    means = {key: np.mean([getattr(curve, key) for curve in curves], axis=0) for key in ("predicted", "observed", "low", "high", "error")}
    return replace(curves[0], **means)


def figure(
    predictions: pd.DataFrame,
    metrics: pd.DataFrame,
    arms: Factors,
    level: str,
    figures: Figures,
    *,
    cohort: str,
    bins: int = 6,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> Figure:
    """Draw one cohort's reliability curves: a panel a backbone, three beside each other.

    A point is the mean over seeds of the k-th bin (:func:`mean_curve`); its bar is Wilson's
    interval at the effective number of cases, as two knees of a person are not two people.

    Args:
        predictions: as :func:`kneeoa.figures.held_out_predictions.read_predictions` gives them, of
            a binary level.
        metrics: METRICS; gives the Brier score in the legend.
        arms: the arms table.
        level: a binary level.
        figures: the look.
        cohort: whose test cases to draw.
        bins: equal-count bins a curve.
        confidence: level of the intervals, as the configuration sets it.
        varied: the factor that figures tell arms apart by, then those that follow it.
    """
    rows = predictions[predictions["cohort"] == cohort]
    present = set(rows["arm"].unique())
    groups = panels_of(present, arms, figures.labels, varied)
    if not groups:
        raise KneeoaError(f"no arm has test predictions of the level '{level}' in the cohort '{cohort}'; nothing to draw.")
    looks = style.looks(values_of(arms, varied[0]), figures)
    with style.styled(figures):
        width = style.FULL_WIDTH if len(groups) > 1 else style.FULL_WIDTH * 0.5
        lines, columns = style.grid(len(groups), style.ABREAST)
        result = style.new_figure(width, (width / columns * 1.3 + 0.85) * lines + 0.3)
        axes = result.subplots(2 * lines, columns, squeeze=False, sharey="row", height_ratios=(3.2, 1) * lines)
        histograms = style.axes_of_panels(axes[1::2].flat, groups)
        for (curves, panel), (histogram, _) in zip(style.axes_of_panels(axes[::2].flat, groups), histograms, strict=True):
            draw_curves(curves, rows, metrics, panel, cohort, level, "brier", looks, figures, bins, confidence)
            draw_histogram(histogram, rows, panel, looks)
            style.draw_legend_below(histogram, 0.38, curves.get_legend_handles_labels()[0])
        for curves, histogram in zip(axes[::2, 0], axes[1::2, 0], strict=True):
            histogram.set_ylim(bottom=0)
            curves.set_ylabel(f"Observed share of {display_name(level, figures.labels)}")
            histogram.set_ylabel("Share of\nknees")
        cases, seeds = rows["case_id"].nunique(), rows["seed"].nunique()
        mean = f", mean over {seeds} seeds" if seeds > 1 else ""
        style.footnote(
            result,
            f"{count_noun(cases, 'knee')} in {bins} bins of equal count{mean}; "
            f"bars: Wilson {format_percent(confidence)} interval by subject.\n"
            f"Legend: Brier score, {format_percent(confidence)} interval." + derived_note(rows, arms, level, figures.labels),
        )
    return result


def draw_curves(
    axis: Axes,
    rows: pd.DataFrame,
    metrics: pd.DataFrame,
    panel: Panel,
    cohort: str,
    level: str,
    metric: str,
    looks: dict[str, style.Look],
    figures: Figures,
    bins: int,
    confidence: float,
) -> None:
    """Draw the reliability curves of one panel's arms, from rows of a yes-or-no question; the
    legend gives the row ``metric`` of METRICS where there is one.
    """
    axis.plot([0, 1], [0, 1], color=style.RULE, linewidth=0.8, zorder=0)
    for mode, arm in panel.arms.items():
        arm_rows, look = rows[rows["arm"] == arm], looks[mode]
        if arm_rows.empty:
            continue
        curve = mean_curve(arm_rows, bins, confidence)
        summary = summary_row(metrics, arm, level, metric, cohort)
        value = "" if summary is None else " " + format_interval(summary["estimate"], summary["low"], summary["high"], 2)
        axis.plot(
            curve.predicted,
            curve.observed,
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markeredgecolor="white",
            markeredgewidth=0.5,
            markersize=5,
            linewidth=1.2,
            label=display_value(panel.factor, mode, figures.labels) + value,
        )
        axis.vlines(curve.predicted, curve.low, curve.high, color=look.colour, linewidth=0.9, alpha=0.55)
    axis.set(
        title=style.wrap_title(panel.title),
        xlim=(-0.03, 1.03),
        ylim=(-0.03, 1.03),
        xticks=[0, 0.5, 1],
        xticklabels=[],
        yticks=[0, 0.5, 1],
    )


def draw_histogram(axis: Axes, rows: pd.DataFrame, panel: Panel, looks: dict[str, style.Look]) -> None:
    """Draw the histograms of predicted probability of one panel's arms."""
    edges = np.linspace(0, 1, 11)
    for mode, arm in panel.arms.items():
        arm_rows = rows[rows["arm"] == arm]
        if len(arm_rows):
            share = np.histogram(positive_probability(arm_rows), edges)[0] / len(arm_rows)
            axis.stairs(share, edges, color=looks[mode].colour, linestyle=looks[mode].dash, linewidth=1.1)
    axis.set(xlabel="Predicted probability", xlim=(-0.03, 1.03), xticks=[0, 0.5, 1])


def draw(
    predictions: Sequence[Path],
    metrics: Path,
    arms: Factors,
    level: str,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    cohort: str | None = None,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw the reliability of a binary ``level`` on the test cases of ``cohort`` (default: the
    first one in the tables).

    ``confidence`` is the level of the intervals, as the configuration sets it.

    Raises:
        KneeoaError: a table is not what it should be, or no arm predicts the level.
    """
    rows = read_predictions(predictions, level)
    if rows.empty:
        raise KneeoaError(f"no arm has test predictions of the level '{level}'; nothing to draw a reliability curve of.")
    chosen = cohort or sorted(set(rows["cohort"].unique()))[0]
    drawn = figure(rows, METRICS.read(metrics), arms, level, figures, cohort=chosen, confidence=confidence, varied=varied)
    style.save(drawn, figures, out_pdf, out_png)
