"""Plot learning curves: a column a backbone, a row a level's loss or validation measure, a colour a
mode, a thin line a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.held_out_predictions import scan_rows
from kneeoa.presentation.arms import MODE, Factors, Panel, display_value, panels_of, values_of
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.tables.runs import HISTORY

FIGURE = {
    "section": "training",
    "title": "Learning curves",
    "caption": (
        "Loss of each supervised level and its measure on the validation cases; one line a seed, training dashed, validation solid. "
        "Dots mark the epoch with the lowest total validation loss."
    ),
    "alternative": "Line plots of loss and validation measure against epoch, a colour for each value of the factor that is compared.",
    "inputs": ["histories"],
    "settings": {"arms": "arms", "varied": "varied"},
    "needs": ["cohorts"],
}

_SKIPPED = {"learning_rate", "seconds"}


def rows_shown(history: pd.DataFrame) -> list[tuple[str, str]]:
    """Choose the (level, measure) pairs of the figure's rows: each level's loss (the total alone
    where levels have none), then the levels' measures.

    A level's own loss is comparable between modes; totals are not, as a dual mode's sums several.
    """
    pairs = history[~history["measure"].isin(_SKIPPED)][["level", "measure"]].drop_duplicates()
    losses = [(level, "loss") for level in pairs.loc[pairs["measure"] == "loss", "level"] if level != "total"]
    if not losses:
        losses = [("total", "loss")] if ("total", "loss") in set(pairs.itertuples(index=False, name=None)) else []
    others = pairs[(pairs["measure"] != "loss") & (pairs["level"] != "total")]
    preferred: list[tuple[str, str]] = []
    for level, level_pairs in others.groupby("level", sort=False):
        measures = list(level_pairs["measure"])
        preferred.append((str(level), "auc" if "auc" in measures else measures[0]))
    return losses + preferred


def figure(history: pd.DataFrame, arms: Factors, figures: Figures, varied: Sequence[str] = MODE) -> Figure:
    """Draw the curves; ``history`` is HISTORY of any number of runs.

    Raises:
        KneeoaError: no run of the arms has a history.
    """
    present = set(history["arm"].unique())
    groups = panels_of(present, arms, figures.labels, varied)
    pairs = rows_shown(history)
    if not groups or not pairs:
        raise KneeoaError("the history tables hold no loss of any arm; nothing to draw learning curves of.")
    looks, best = style.looks(values_of(arms, varied[0]), figures), best_epochs(history)
    with style.styled(figures):
        width = style.FULL_WIDTH if len(groups) > 1 else style.FULL_WIDTH * 0.6
        result = style.new_figure(width, 1.35 * len(pairs) + 0.75)
        axes = result.subplots(len(pairs), len(groups), squeeze=False, sharex="col", sharey="row")
        for row, (level, measure) in enumerate(pairs):
            for column, panel in enumerate(groups):
                chosen = history[(history["level"] == level) & (history["measure"] == measure)]
                _panel(axes[row, column], chosen, panel, looks, best)
            if measure == "loss":
                axes[row, 0].set_ylim(bottom=0)
            name = "Total" if level == "total" else display_name(level, figures.labels)
            axes[row, 0].set_ylabel(sentence_case(f"{name} {display_name(measure, figures.labels)}"))
        for column, panel in enumerate(groups):
            axes[0, column].set_title(style.wrap_title(panel.title, style.FULL_WIDTH / len(groups) - 0.2))
            axes[-1, column].set_xlabel("Epoch")
            axes[-1, column].xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        drawn = [mode for mode in values_of(arms, varied[0]) if any(panel.arms.get(mode) in present for panel in groups)]
        handles = [
            Line2D([], [], color=looks[mode].colour, linewidth=2, label=display_value(varied[0], mode, figures.labels)) for mode in drawn
        ]
        handles += [Line2D([], [], color=style.MUTED, linestyle="-", label="validation")]
        handles += [Line2D([], [], color=style.MUTED, linestyle=(0, (3, 1.5)), label="training")]
        handles += [Line2D([], [], color=style.MUTED, linestyle="", marker="o", label="lowest total validation loss")]
        style.draw_legend_above(result, handles, columnspacing=1.2, handlelength=1.8)
        seeds = history["seed"].nunique()
        style.footnote(result, f"One line a seed ({seeds}). A level's loss is drawn for the modes that it supervises." if seeds > 1 else "")
    return result


def best_epochs(history: pd.DataFrame) -> dict[tuple[str, int], int]:
    """Return the epoch of the lowest total validation loss of each run, by arm and seed; runs
    without a validation loss are absent.
    """
    rows = history[(history["split"] == "val") & (history["measure"] == "loss")]
    totals = rows[rows["level"] == "total"]
    rows = totals if len(totals) else rows
    sums = rows.groupby(["arm", "seed", "epoch"], as_index=False)["value"].sum()
    lowest = sums.loc[sums.groupby(["arm", "seed"])["value"].idxmin()]
    return {(row.arm, row.seed): row.epoch for row in lowest.itertuples()}


def _panel(axis: Axes, rows: pd.DataFrame, panel: Panel, looks: dict[str, style.Look], best: dict[tuple[str, int], int]) -> None:
    """Draw one panel; all seeds of a mode and split are one collection: hundreds of lines are drawn
    as fast as one.
    """
    for mode, arm in panel.arms.items():
        colour = looks[mode].colour
        for split, split_rows in rows[rows["arm"] == arm].sort_values(["seed", "epoch"]).groupby("split"):
            curves = {int(str(seed)): run[["epoch", "value"]].to_numpy(dtype=float) for seed, run in split_rows.groupby("seed")}
            training = split == "train"
            dashes, width, alpha = ((0, (3, 1.5)), 0.8, 0.75) if training else ("-", 1.1, 1.0)
            axis.add_collection(LineCollection(list(curves.values()), colors=colour, linestyles=[dashes], linewidths=width, alpha=alpha))
            single = [curve[0] for curve in curves.values() if len(curve) == 1]
            kept = [point for seed, curve in curves.items() for point in curve if not training and point[0] == best.get((arm, seed))]
            if single:
                axis.plot(*np.transpose(single), "o", color=colour, alpha=alpha)
            if kept:
                axis.plot(*np.transpose(kept), "o", markersize=4, color=colour, markeredgecolor="white", markeredgewidth=0.6, zorder=3)
    axis.autoscale_view()


def draw(histories: Sequence[Path], arms: Factors, figures: Figures, out_pdf: Path, out_png: Path, varied: Sequence[str] = MODE) -> None:
    """Draw the learning curves of every run and write them as PDF and PNG.

    Raises:
        KneeoaError: a file is not a HISTORY table, or none holds a loss.
    """
    style.save(figure(scan_rows(HISTORY, histories, {}, ["value"]), arms, figures, varied), figures, out_pdf, out_png)
