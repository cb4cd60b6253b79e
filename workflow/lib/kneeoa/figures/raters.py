"""Plot the arms' metrics and their differences against the share of misread training labels of
noisy raters; a column a contrast's metric.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.presentation.arms import Factors, display_value, values_of
from kneeoa.presentation.display_names import LOWER_IS_BETTER, count_noun, display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_number, format_p, format_percent, is_number
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.raters import RATERS

FIGURE = {
    "section": "raters",
    "title": "Noisy raters",
    "caption": (
        "Above, what arms achieve against the reference labels of test knees when a rater misread a share of the labels they learnt; "
        "below, candidate minus reference. Points are means over seeds (faint: one seed) with "
        "{confidence} subject-bootstrap intervals; kappa (quadratic weighted) is that of the training labels. The slope says whether "
        "the difference moves with the noise.{sample}"
    ),
    "alternative": "Line plots of a metric and of its difference between arms against the share of misread training labels.",
    "inputs": ["raters"],
    "settings": {"arms": "arms", "confidence": "confidence"},
    "needs": ["raters", "contrasts_at_raters"],
}

_STEP = 0.1
"""Slopes are printed per so large a share of misread labels."""
_SIDE = 0.12
"""Horizontal offset of the two arms, and of a difference's seeds, from the rater's position, as a
share of the least step between raters.
"""
_SAMPLED = "subjects and seeds"


def figure(table: pd.DataFrame, arms: Factors, figures: Figures, confidence: float) -> Figure:
    """Draw RATERS: for each setting and cohort a row of the arms' own curves and, below, a row of
    their differences.

    Seeds are faint points; means carry their interval over subjects. The printed slope is the one
    over subjects and seeds where there are enough seeds, else over subjects alone.

    Args:
        table: RATERS, at least one row.
        arms: the arms table; names the values compared and their order.
        figures: the look.
        confidence: level of the table's intervals.

    Raises:
        KneeoaError: the table has no rows.
    """
    if table.empty:
        raise KneeoaError("the table of raters has no rows; declare contrasts between arms that differ in their rater.")
    looks = {factor: style.looks(values_of(arms, factor), figures) for factor in dict.fromkeys(table["factor"])}
    columns = list(dict.fromkeys(zip(table["contrast"], table["candidate"], table["metric"], strict=True)))
    groups = list(dict.fromkeys(zip(table["setting"], table["cohort"], strict=True)))
    with style.styled(figures):
        result = style.new_figure(style.FULL_WIDTH, (2.05 + 2.05) * len(groups) + 1.0)
        axes = result.subplots(2 * len(groups), len(columns), squeeze=False, sharex="col")
        for row, (setting, cohort) in enumerate(groups):
            for column, (contrast, candidate, metric) in enumerate(columns):
                chosen = table[(table["setting"] == setting) & (table["cohort"] == cohort)]
                chosen = chosen[(chosen["contrast"] == contrast) & (chosen["candidate"] == candidate) & (chosen["metric"] == metric)]
                above, below = axes[2 * row, column], axes[2 * row + 1, column]
                if chosen.empty:
                    style.blank_panel(above, "no such arms")
                    style.blank_panel(below, "")
                    continue
                look = looks[chosen["factor"].iloc[0]]
                _arms(above, chosen, look, figures)
                _difference(below, chosen, look, figures)
                if row == 0:
                    _heading(above, chosen, figures)
                if row == len(groups) - 1:
                    _places(below, chosen)
            if len(groups) > 1:
                name = display_name(setting, figures.labels) + (
                    f", {display_name(cohort, figures.labels)}" if table["cohort"].nunique() > 1 else ""
                )
                axes[2 * row, 0].set_ylabel(f"{name}\n{axes[2 * row, 0].get_ylabel()}")
        _legend(result, table, arms, looks, figures)
        style.footnote(result, _note(table, confidence, figures))
    return result


def _arms(axis: Axes, rows: pd.DataFrame, looks: dict[str, style.Look], figures: Figures) -> None:
    """Draw both arms' metric against the share of misread labels."""
    aside = _SIDE * _least_step(rows)
    for quantity, side in (("reference", -aside), ("candidate", aside)):
        arm_rows = rows[rows["quantity"] == quantity].sort_values("misread")
        look = looks.get(str(arm_rows[quantity].iloc[0]), style.Look(style.INK, "o", "-"))
        seeds, means = arm_rows[arm_rows["seed"].notna()], arm_rows[arm_rows["seed"].isna()]
        axis.plot(
            seeds["misread"] + 2.2 * side, seeds["estimate"], look.marker, color=look.colour, alpha=0.35, markersize=2.6, markeredgewidth=0
        )
        _bars(axis, means, side, look.colour)
        axis.plot(means["misread"] + side, means["estimate"], color=look.colour, linestyle=look.dash, marker=look.marker)
    axis.set_ylabel(sentence_case(_metric(rows, figures)))
    axis.grid(axis="y", color=style.RULE, linewidth=0.4)
    axis.set_axisbelow(True)


def _difference(axis: Axes, rows: pd.DataFrame, looks: dict[str, style.Look], figures: Figures) -> None:
    """Draw candidate minus reference, with the fitted line and its printed slope."""
    differences = rows[rows["quantity"] == "difference"].sort_values("misread")
    look = looks.get(str(differences["candidate"].iloc[0]), style.Look(style.INK, "o", "-"))
    seeds, means = differences[differences["seed"].notna()], differences[differences["seed"].isna()]
    axis.axhline(0, color=style.MUTED, linewidth=0.7, zorder=0)
    axis.plot(
        seeds["misread"] + _SIDE * _least_step(rows),
        seeds["estimate"],
        "o",
        color=look.colour,
        alpha=0.35,
        markersize=2.6,
        markeredgewidth=0,
    )
    _bars(axis, means, 0.0, look.colour)
    axis.plot(means["misread"], means["estimate"], linestyle="", marker=look.marker, color=look.colour)
    slope = printed_slope(rows)
    if slope is not None:
        dose, centre = means["misread"].astype(float), means["estimate"].astype(float).mean()
        ends = pd.Series([dose.min(), dose.max()])
        axis.plot(ends, centre + slope["estimate"] * (ends - dose.mean()), color=style.INK, linewidth=0.9, linestyle=(0, (4, 2)))
        estimate, low, high = (slope[key] * _STEP if is_number(slope[key]) else None for key in ("estimate", "low", "high"))
        text = format_interval(estimate, low, high, 3, 3, signed=True)
        axis.set_title(f"{text}, p {format_p(slope['p'])}", fontsize=figures.font_size * 0.9, fontweight="normal", color=style.MUTED)
    axis.set_ylabel(f"Difference in {_metric(rows, figures)}")
    axis.grid(axis="y", color=style.RULE, linewidth=0.4)
    axis.set_axisbelow(True)


def printed_slope(rows: pd.DataFrame) -> dict[str, Any] | None:
    """Return the slope that is printed: over subjects and seeds where that is defined, else over
    subjects; None with a single rater.
    """
    slopes = rows[(rows["quantity"] == "slope") & rows["seed"].isna() & rows["estimate"].notna()]
    sampled = slopes[(slopes["interval"] == _SAMPLED) & slopes["low"].notna()]
    chosen = sampled if len(sampled) else slopes[slopes["interval"] != _SAMPLED]
    return row_dicts(chosen)[0] if len(chosen) else None


def _bars(axis: Axes, means: pd.DataFrame, side: float, colour: str) -> None:
    for row in row_dicts(means):
        if is_number(row["low"]) and is_number(row["high"]):
            axis.plot([row["misread"] + side] * 2, [row["low"], row["high"]], color=colour, linewidth=1.0, solid_capstyle="butt")


def _heading(axis: Axes, rows: pd.DataFrame, figures: Figures) -> None:
    first = rows.iloc[0]
    axis.set_title(f"{display_name(first['level'], figures.labels)}: {_metric(rows, figures)}")


def _places(axis: Axes, rows: pd.DataFrame) -> None:
    """Set ticks at the raters: the share of labels that each misreads, and its kappa below."""
    raters = rows[rows["rater"].notna()].drop_duplicates("rater").sort_values("misread")
    labels = [f"{format_percent(round(float(row['misread']), 2))}\n{format_number(row['kappa'], 2)}" for row in row_dicts(raters)]
    axis.set_xticks([float(value) for value in raters["misread"]], labels)
    axis.set_xlabel("Training labels misread\n(kappa with the reference)")


def _least_step(rows: pd.DataFrame) -> float:
    doses = sorted({float(value) for value in rows["misread"].dropna()})
    steps = [high - low for low, high in pairwise(doses)]
    return min(steps, default=1.0)


def _metric(rows: pd.DataFrame, figures: Figures) -> str:
    name = str(rows["metric"].iloc[0])
    return display_name(name, figures.labels) + (" ↓" if name in LOWER_IS_BETTER else "")


def _legend(result: Figure, table: pd.DataFrame, arms: Factors, looks: dict[str, dict[str, style.Look]], figures: Figures) -> None:
    handles = []
    for factor, factor_looks in looks.items():
        rows = table[table["factor"] == factor]
        drawn = {*rows["candidate"], *rows["reference"]}
        handles += [
            Line2D([], [], color=look.colour, marker=look.marker, linestyle=look.dash, label=display_value(factor, value, figures.labels))
            for value, look in factor_looks.items()
            if value in drawn
        ]
    handles.append(Line2D([], [], color=style.INK, linewidth=0.9, linestyle=(0, (4, 2)), label="least-squares line"))
    handles.append(Line2D([], [], color=style.MUTED, marker="o", linestyle="", alpha=0.5, markersize=2.6, label="one seed"))
    style.draw_legend_above(result, handles, columnspacing=1.4)


def _note(table: pd.DataFrame, confidence: float, figures: Figures) -> str:
    pairs = row_dicts(table[["factor", "candidate", "reference"]].drop_duplicates())
    compared = ", ".join(
        " − ".join(display_value(row["factor"], row[side], figures.labels) for side in ("candidate", "reference")) for row in pairs
    )
    seeds = int(table["seeds"].max())
    slope = printed_slope(table)
    over = "subjects and seeds" if slope is not None and slope["interval"] == _SAMPLED else "subjects, seeds fixed"
    return (
        f"Below: {compared}. Test labels are the reference: {count_noun(int(table['cases'].max()), 'knee')} of "
        f"{count_noun(int(table['subjects'].max()), 'subject')}, {count_noun(seeds, 'seed')} an arm. "
        f"Bars: {format_percent(confidence)} interval over subjects. "
        f"Above each lower panel: slope per {format_percent(_STEP)} of labels misread, with its interval over {over}. "
        "Kappa: quadratic weighted."
    )


def draw(raters: Path, arms: Factors, confidence: float, figures: Figures, out_pdf: Path, out_png: Path) -> None:
    """Draw RATERS and write the figure as PDF and PNG.

    Raises:
        KneeoaError: the file is not RATERS or has no rows.
    """
    style.save(figure(RATERS.read(raters), arms, figures, confidence), figures, out_pdf, out_png)
