"""Reliability curves of a binary level: observed share against predicted probability, with the histogram of predictions below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.arms import Factors, Panel, modes, panels
from kneeoa.figures.numbers import interval, percent
from kneeoa.figures.scores import derived_note, held_out, positive, summary_row
from kneeoa.figures.words import count, printed
from kneeoa.tables.metrics import METRICS


@dataclass(frozen=True)
class Bins:
    """Equal-count bins of one run's predictions; every array has one entry a bin."""

    predicted: NDArray[np.float64]
    """Mean predicted probability."""
    observed: NDArray[np.float64]
    """Share of positives."""
    size: NDArray[np.int64]
    """Cases."""


def equal_count_bins(truth: NDArray[np.integer], probability: NDArray[np.floating], bins: int) -> Bins:
    """Cut the cases, sorted by predicted probability, into ``bins`` groups of (nearly) equal size.

    Where a group of tied predictions straddles an edge, each tied case counts with the group's mean outcome: the expectation over random
    orders of the ties, so the order of the rows (often sorted by grade) cannot matter.

    Args:
        truth: 0 or 1, shape ``[n]``.
        probability: predicted, shape ``[n]``.
        bins: number of groups; fewer where there are fewer cases.
    """
    _, tie = np.unique(probability, return_inverse=True)
    expected = (np.bincount(tie, weights=truth) / np.bincount(tie))[tie]
    parts = [part for part in np.array_split(np.argsort(probability, kind="stable"), bins) if part.size]
    return Bins(
        np.array([probability[part].mean() for part in parts]),
        np.array([expected[part].mean() for part in parts]),
        np.array([part.size for part in parts]),
    )


def wilson(
    share: NDArray[np.float64], size: NDArray[np.integer], confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Wilson's score interval of a share (Wilson 1927, J Am Stat Assoc 22:209): lower and upper limits."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return np.clip(centre - half, 0, share), np.clip(centre + half, share, 1)


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
) -> Figure:
    """Draw one cohort's reliability curves: a column a backbone.

    Seeds are never pooled as cases: a point is the mean over seeds of the k-th bin, its interval that of the bin's cases.

    Args:
        predictions: as :func:`kneeoa.figures.scores.held_out` gives them, of a binary level.
        metrics: METRICS; gives the Brier score in the legend.
        arms: the arms table.
        level: a binary level.
        figures: the look.
        cohort: whose test cases to draw.
        bins: equal-count bins a curve.
        confidence: level of the intervals, as the configuration sets it.
    """
    rows = predictions[predictions["cohort"] == cohort]
    groups = [panel for panel in panels(arms, figures.labels) if set(panel.arms.values()) & set(rows["arm"])]
    if not groups:
        raise KneeoaError(f"no arm has test predictions of the level '{level}' in the cohort '{cohort}'; nothing to draw.")
    looks = style.looks(modes(arms), figures)
    with style.styled(figures):
        width = style.FULL_WIDTH if len(groups) > 1 else style.FULL_WIDTH * 0.5
        result = style.new_figure(width, width / len(groups) * 1.3 + 1.15)
        axes = result.subplots(2, len(groups), squeeze=False, sharex=True, sharey="row", height_ratios=(3.2, 1))
        for column, panel in enumerate(groups):
            _curves(axes[0, column], rows, metrics, panel, cohort, level, looks, figures, bins, confidence)
            _histogram(axes[1, column], rows, panel, looks)
            handles, texts = axes[0, column].get_legend_handles_labels()
            axes[1, column].legend(handles, texts, loc="upper center", bbox_to_anchor=(0.46, -0.62), borderaxespad=0, labelspacing=0.35)
        axes[1, 0].set_ylim(bottom=0)
        axes[0, 0].set_ylabel(f"Observed share of {printed(level, figures.labels)}")
        axes[1, 0].set_ylabel("Share of\nknees")
        cases, seeds = rows["case_id"].nunique(), rows["seed"].nunique()
        mean = f", mean over {seeds} seeds" if seeds > 1 else ""
        style.note(
            result,
            f"{count(cases, 'knee')} in {bins} bins of equal count{mean}; bars: Wilson {percent(confidence)} interval of a bin's knees.\n"
            f"Legend: Brier score, {percent(confidence)} interval." + derived_note(rows, arms, level, figures.labels),
        )
    return result


def _curves(
    axis: Axes,
    rows: pd.DataFrame,
    metrics: pd.DataFrame,
    panel: Panel,
    cohort: str,
    level: str,
    looks: dict[str, style.Look],
    figures: Figures,
    bins: int,
    confidence: float,
) -> None:
    axis.plot([0, 1], [0, 1], color=style.RULE, linewidth=0.8, zorder=0)
    for mode, arm in panel.arms.items():
        own, look = rows[rows["arm"] == arm], looks[mode]
        if own.empty:
            continue
        runs = [equal_count_bins(seed["truth"].to_numpy(), positive(seed), bins) for _, seed in own.groupby("seed")]
        predicted, observed = (np.mean([getattr(run, key) for run in runs], axis=0) for key in ("predicted", "observed"))
        low, high = wilson(observed, runs[0].size, confidence)
        found = summary_row(metrics, arm, level, "brier", cohort)
        value = "" if found is None else " " + interval(found["estimate"], found["low"], found["high"], 2)
        axis.plot(
            predicted,
            observed,
            color=look.colour,
            linestyle=look.dash,
            marker=look.marker,
            markeredgecolor="white",
            markeredgewidth=0.5,
            markersize=5,
            linewidth=1.2,
            label=printed(mode, figures.labels) + value,
        )
        axis.vlines(predicted, low, high, color=look.colour, linewidth=0.9, alpha=0.55)
    axis.set(title=panel.title, xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])


def _histogram(axis: Axes, rows: pd.DataFrame, panel: Panel, looks: dict[str, style.Look]) -> None:
    edges = np.linspace(0, 1, 11)
    for mode, arm in panel.arms.items():
        own = rows[rows["arm"] == arm]
        if len(own):
            share = np.histogram(positive(own), edges)[0] / len(own)
            axis.stairs(share, edges, color=looks[mode].colour, linestyle=looks[mode].dash, linewidth=1.1)
    axis.set_xlabel("Predicted probability")


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
) -> None:
    """Draw the reliability of a binary ``level`` on the test cases of ``cohort`` (default: the first one in the tables).

    ``confidence`` is the level of the intervals, as the configuration sets it.

    Raises:
        KneeoaError: a table is not what it should be, or no arm predicts the level.
    """
    rows = held_out(predictions, level)
    if rows.empty:
        raise KneeoaError(f"no arm has test predictions of the level '{level}'; nothing to draw a reliability curve of.")
    chosen = cohort or sorted(set(rows["cohort"]))[0]
    style.save(figure(rows, METRICS.read(metrics), arms, level, figures, cohort=chosen, confidence=confidence), figures, out_pdf, out_png)
