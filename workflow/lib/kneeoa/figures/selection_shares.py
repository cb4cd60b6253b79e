"""Plot the share of chosen locations on the study's tissue, less that of the same selections
shifted, by map and grade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.presentation.arms import ArmNames, Factors
from kneeoa.presentation.display_names import count_noun, display_name
from kneeoa.presentation.number_format import format_percent, is_number
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.selections import SELECTION_SUMMARY

FIGURE = {
    "section": "selections",
    "place": 2,
    "title": "Chosen locations on the joint",
    "caption": (
        "Share of the chosen locations on the first group of tissues, less the share of the same selections shifted at random, with "
        "{confidence} subject-bootstrap intervals, by map and grade; crosses, less the share of the locations chosen in other subjects' "
        "images. Above zero, the plug-in chooses the tissue more often than its place in the image explains."
    ),
    "alternative": "Dot plots of the share of chosen locations on the joint beyond chance, by grade, one panel for each map.",
    "inputs": ["selection_summary"],
    "settings": {"arms": "arms", "confidence": "confidence", "level": "pictured_level"},
    "needs": ["selection_shares"],
}

_ALL = "all"


def figure(summary: pd.DataFrame, arms: Factors, figures: Figures, level: str, confidence: float = 0.95) -> Figure:
    """Draw a panel for each map, a row of them for each cohort.

    Args:
        summary: SELECTION_SUMMARY; its first tissue is drawn.
        arms: the arms table.
        figures: the look.
        level: whose selections; those of the table's last level where it has none.
        confidence: level of the table's intervals, as the configuration sets it.

    Raises:
        KneeoaError: there is nothing to draw.
    """
    if summary.empty:
        raise KneeoaError("no selection was measured on a mask; there is no share to draw.")
    levels = list(dict.fromkeys(summary["level"]))
    chosen_level, tissue = level if level in levels else levels[-1], str(summary["tissue"].iloc[0])
    rows = summary[summary["seed"].isna() & (summary["tissue"] == tissue) & (summary["level"] == chosen_level)]
    names = ArmNames(arms, figures.labels)
    listed, cohorts, maps = names.ordered(rows["arm"]), list(dict.fromkeys(rows["cohort"])), sorted(set(rows["map"]))
    looks = dict(zip(listed, style.looks(listed, figures).values(), strict=True))
    grades: list[int | None] = [None, *sorted(int(grade) for grade in rows["grade"].dropna().unique())]
    with style.styled(figures):
        lines, columns = style.grid(len(maps), 4)
        width = min(style.FULL_WIDTH, 1.7 * columns + 0.6)
        result = style.new_figure(width, 1.75 * lines * len(cohorts) + 0.95)
        axes = result.subplots(lines * len(cohorts), columns, squeeze=False, sharey=True)
        for place, cohort in enumerate(cohorts):
            of_cohort = axes[place * lines : (place + 1) * lines].ravel()
            for axis, name in style.axes_of_panels(of_cohort, maps):
                part = rows[(rows["cohort"] == cohort) & (rows["map"] == name)]
                _panel(axis, part, listed, looks, grades)
                where = f"{display_name(str(cohort), figures.labels)}, " if len(cohorts) > 1 else ""
                style.heading(axis, f"{where}{name.replace('-', ' ')}", _sizes(part))
        for axis in axes[:, 0]:
            axis.set_ylabel(f"Share on {display_name(tissue, figures.labels)}\nbeyond shifted")
        for axis in axes[-1]:
            axis.set_xlabel("Grade")
        handles = _handles(listed, looks, names)
        style.draw_legend_above(result, handles, columnspacing=1.2)
        level_name = display_name(chosen_level, figures.labels)
        style.footnote(result, _note(rows, level_name, confidence))
    return result


def _sizes(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "no mask"
    chosen, locations = int(rows["chosen"].max()), int(rows["locations"].max())
    return f"{chosen} of {locations:,} chosen" + ("" if rows["claim"].all() else ": no claim")


def _panel(axis: Axes, rows: pd.DataFrame, arms: Sequence[str], looks: Mapping[str, style.Look], grades: Sequence[int | None]) -> None:
    axis.axhline(0, color=style.MUTED, linewidth=0.7, zorder=0)
    axis.axvline(0.5, color=style.RULE, linewidth=0.6, zorder=0)
    by_key = {(row["arm"], int(row["grade"]) if is_number(row["grade"]) else None): row for row in row_dicts(rows)}
    step = min(0.22, 0.7 / max(len(arms), 1))
    for number, arm in enumerate(arms):
        for place, grade in enumerate(grades):
            row = by_key.get((arm, grade))
            if row is not None:
                _mark(axis, place + (number - (len(arms) - 1) / 2) * step, row, looks[arm])
    axis.set_xticks(range(len(grades)), labels=[_ALL if grade is None else str(grade) for grade in grades])
    axis.set_xlim(-0.6, len(grades) - 0.4)
    axis.grid(axis="y", color=style.RULE, linewidth=0.4)
    axis.set_axisbelow(True)


def _mark(axis: Axes, x: float, row: Mapping[str, Any], look: style.Look) -> None:
    if not is_number(row["difference"]):
        return
    colour = look.colour if row["claim"] else style.MUTED
    if is_number(row["low"]) and is_number(row["high"]):
        axis.plot([x, x], [row["low"], row["high"]], color=colour, linewidth=1.2, solid_capstyle="butt")
    face = colour if row["claim"] else "white"
    axis.plot([x], [row["difference"]], marker=look.marker, markersize=4.6, color=colour, markerfacecolor=face, markeredgewidth=1)
    if is_number(row["others_difference"]):
        axis.plot([x], [row["others_difference"]], marker="x", markersize=4, color=style.INK)


def _handles(arms: Sequence[str], looks: Mapping[str, style.Look], names: ArmNames) -> list[Line2D]:
    handles = [
        Line2D([], [], color=looks[arm].colour, marker=looks[arm].marker, linestyle="", label=f"{names.backbone(arm)}, {names.mode(arm)}")
        for arm in arms
    ]
    return [*handles, Line2D([], [], color=style.INK, linestyle="", marker="x", markersize=4, label="beyond other subjects' selections")]


def _note(rows: pd.DataFrame, level: str, confidence: float) -> str:
    cases, subjects, seeds = (int(rows[column].max()) for column in ("cases", "subjects", "seeds"))
    text = f"Chosen by the {level} heads. Up to {count_noun(cases, 'knee')} of {count_noun(subjects, 'subject')}"
    text += f", mean of {count_noun(seeds, 'seed')}" if seeds > 1 else ""
    text += f"; {format_percent(confidence)} subject-bootstrap intervals."
    text += "\nA location counts by the share of its cell on the tissue."
    return text + (" Hollow: more than a quarter of the map is chosen, no claim." if not rows["claim"].all() else "")


def draw(
    selection_summary: Path,
    arms: Factors,
    level: str,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    confidence: float = 0.95,
) -> None:
    """Draw the shares and write them as PDF and PNG.

    ``confidence`` is the level of the intervals in ``selection_summary``, as the configuration sets
    it.

    Raises:
        KneeoaError: the table is not SELECTION_SUMMARY, or holds no row.
    """
    style.save(figure(SELECTION_SUMMARY.read(selection_summary), arms, figures, level, confidence), figures, out_pdf, out_png)
