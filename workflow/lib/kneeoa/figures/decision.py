"""Plot decision curves of a binary level: the net benefit of acting on a prediction, against acting
on everybody or nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from kneeoa.presentation.display_names import count_noun
from kneeoa.presentation.number_format import format_percent
from kneeoa.statistics.decision import DecisionCurve, decision_curve

FIGURE = {
    "section": "prediction",
    "place": 3,
    "title": "Decision curves",
    "caption": (
        "Net benefit of acting on a prediction at each threshold probability, with pointwise {confidence} intervals over subjects; grey: "
        "acting on everybody, dotted: on nobody.{sample}"
    ),
    "alternative": "Decision curves, one colour for each value of the factor that is compared.",
    "inputs": ["predictions"],
    "settings": {"arms": "arms_and_ensembles", "level": "binary_level", "confidence": "confidence", "varied": "varied"},
    "needs": ["binary_level"],
}

THRESHOLDS = np.linspace(0.05, 0.95, 91)
"""Threshold probabilities that are drawn."""


def curve(rows: pd.DataFrame, confidence: float) -> DecisionCurve:
    """Compute the decision curve of one arm's predictions (columns seed, case_id, subject, truth,
    probabilities), the mean over its seeds.
    """
    runs = [run.sort_values("case_id") for _, run in rows.groupby("seed")]
    probabilities = np.stack([positive_probability(run) for run in runs])
    first = runs[0]
    return decision_curve(first["truth"].to_numpy(), probabilities, THRESHOLDS, first["subject"].to_numpy(dtype=str), confidence)


def figure(
    predictions: pd.DataFrame,
    arms: Factors,
    level: str,
    figures: Figures,
    *,
    cohort: str,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> Figure:
    """Draw one cohort's decision curves: a panel a backbone, three beside each other, a line a
    mode; bands are pointwise.

    Args:
        predictions: as :func:`kneeoa.figures.held_out_predictions.read_predictions` gives them, of
            a binary level.
        arms: the arms table.
        level: a binary level.
        figures: the look.
        cohort: whose test cases to draw.
        confidence: level of the intervals, as the configuration sets it.
        varied: the factor that figures tell arms apart by, then those that follow it.

    Raises:
        KneeoaError: no arm predicts the level in the cohort.
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
        result = style.new_figure(width, (width / columns * 0.95 + 0.8) * lines + 0.3)
        axes = result.subplots(lines, columns, squeeze=False, sharey=True)
        for axis, panel in style.axes_of_panels(axes.flat, groups):
            _panel(axis, rows, panel, looks, figures, confidence)
        share = rows.drop_duplicates("case_id")["truth"].mean()
        top = share or 1.0  # nobody is positive: no benefit, but harm
        axes[0, 0].set_ylim(-0.35 * top, 1.1 * top)
        for first in axes[:, 0]:
            first.set_ylabel("Net benefit")
        cases, subjects, seeds = rows["case_id"].nunique(), rows["subject"].nunique(), rows["seed"].nunique()
        style.footnote(
            result,
            f"{count_noun(cases, 'knee')} of {count_noun(subjects, 'subject')}{f', mean over {seeds} seeds' if seeds > 1 else ''}; "
            f"bands: pointwise {format_percent(confidence)} interval over subjects. "
            "A threshold of p means that one true positive is worth p/(1 − p) false "
            f"positives." + derived_note(rows, arms, level, figures.labels),
        )
    return result


def _panel(axis: Axes, rows: pd.DataFrame, panel: Panel, looks: dict[str, style.Look], figures: Figures, confidence: float) -> None:
    everybody = None
    for mode, arm in panel.arms.items():
        arm_rows, look = rows[rows["arm"] == arm], looks[mode]
        if arm_rows.empty:
            continue
        result = curve(arm_rows, confidence)
        everybody = result.treat_all
        axis.fill_between(THRESHOLDS, result.low, result.high, color=look.colour, alpha=0.13, linewidth=0)
        axis.plot(
            THRESHOLDS, result.net_benefit, color=look.colour, linestyle=look.dash, label=display_value(panel.factor, mode, figures.labels)
        )
    if everybody is not None:
        axis.plot(THRESHOLDS, everybody, color=style.MUTED, linewidth=0.9, label="act on everybody")
    axis.axhline(0, color=style.INK, linewidth=0.9, linestyle=(0, (1, 1.5)), label="act on nobody")
    axis.set(title=style.wrap_title(panel.title), xlabel="Threshold probability", xlim=(0, 1), xticks=[0, 0.5, 1])
    style.draw_legend_below(axis, 0.38, axis.get_legend_handles_labels()[0])


def draw(
    predictions: Sequence[Path],
    arms: Factors,
    level: str,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    cohort: str | None = None,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw the decision curves of a binary ``level`` on the test cases of ``cohort`` (default: the
    first one in the tables).

    ``confidence`` is the level of the intervals, as the configuration sets it.

    Raises:
        KneeoaError: a table is not what it should be, or no arm predicts the level.
    """
    rows = read_predictions(predictions, level)
    if rows.empty:
        raise KneeoaError(f"no arm has test predictions of the level '{level}'; nothing to draw a decision curve of.")
    chosen = cohort or sorted(set(rows["cohort"].unique()))[0]
    style.save(figure(rows, arms, level, figures, cohort=chosen, confidence=confidence, varied=varied), figures, out_pdf, out_png)
