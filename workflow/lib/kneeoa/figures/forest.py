"""Forest plot of the contrasts: each difference with its interval, raw and adjusted p, and the
test's name, grouped by family and by what both arms share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.config.metrics import CUT_METRICS, WITHOUT_DIRECTION, metric_of_row
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.presentation.arms import Factors, display_value, pair_title, value_of, values_of
from kneeoa.presentation.display_names import GRADE_UNITS, LOWER_IS_BETTER, count_noun, display_name, sentence_case
from kneeoa.presentation.number_format import SIGNIFICANT, UNDEFINED, format_interval, format_number, format_p, format_percent, is_number
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.statistics import CONTRASTS

FIGURE = {
    "section": "contrasts",
    "title": "Contrasts",
    "caption": (
        "Candidate minus reference on the same knees, with paired {confidence} intervals; p as tested and adjusted within its "
        "family.{sample}"
    ),
    "alternative": "Forest plot of the differences between candidates and references. The same numbers are in the table of contrasts.",
    "inputs": ["contrasts"],
    "settings": {"arms": "arms_and_ensembles", "confidence": "confidence"},
    "needs": ["contrasts"],
    "slow": True,
}

_NOTE_LINES = 3
"""Lines of the note that the page has room for below its last block; each more makes it higher."""
_LINE = 0.165
"""Inches a row at 8 points."""
_GAP, _MARGIN, _LEAST_PLOT = 0.18, 0.06, 1.2
"""Inches between columns, at the page's edges, and of the narrowest plot."""
_HEADERS = ("", "", "difference [{level} interval]", "detectable", "p", "adjusted p", "test")
_RIGHT = (False, False, False, True, True, True, False)
"""Printed columns that are aligned at their right edge."""


@dataclass(frozen=True)
class Block:
    """Contrasts that share one horizontal axis."""

    title: str
    rows: pd.DataFrame


def select_rows(contrasts: pd.DataFrame) -> pd.DataFrame:
    """Select the contrasts of a forest plot: the primary family first, then the others in the
    table's order; rows in no family last.

    Left out, and in the table alone, are values at single cuts of the grades and calibration
    (slopes and intercepts would share no axis with AUCs), tests against a margin, and, for metrics
    that a family has a row of, the tests in no family (such as fixed seeds beside random). Cuts and
    calibration are shown where nothing else is.
    """
    contrasts = contrasts[~contrasts["test"].isin(["non_inferiority", "equivalence"])]
    rows = contrasts[~contrasts["metric"].map(metric_of_row).isin([*CUT_METRICS, *WITHOUT_DIRECTION])]
    rows = contrasts if rows.empty else rows
    inside, outside = rows[rows["family"] != "none"], rows[rows["family"] == "none"]
    key = ["contrast", "candidate", "reference", "cohort", "metric"]
    in_family = pd.MultiIndex.from_frame(outside[key]).isin(pd.MultiIndex.from_frame(inside[key]))
    order = sorted(dict.fromkeys(inside["family"]), key=lambda name: name != "primary")
    shown: pd.DataFrame = pd.concat([*(inside[inside["family"] == name] for name in order), outside[~in_family]])
    return shown


def axis_blocks(contrasts: pd.DataFrame) -> list[Block]:
    """Split the contrasts by unit: an error of half a grade, a slope and a difference of 0.05 in
    AUC cannot share an axis.
    """
    names = contrasts["metric"].map(metric_of_row)
    grades, without_direction = contrasts["metric"].isin(GRADE_UNITS), names.isin(WITHOUT_DIRECTION)
    blocks = [
        Block("Difference (candidate − reference)", contrasts[~grades & ~without_direction]),
        Block("Difference in grades (candidate − reference)", contrasts[grades]),
        *(
            Block(f"Difference in {display_name(name)} (candidate − reference)", contrasts[names == name])
            for name in dict.fromkeys(names[without_direction])
        ),
    ]
    return [block for block in blocks if len(block.rows)]


def figure(contrasts: pd.DataFrame, arms: Factors, figures: Figures, confidence: float = 0.95) -> Figure:
    """Draw the forest plot: the primary family first (:func:`tested`), in the order of the
    table within each family and what both arms share (the backbone, where the mode varies).

    A filled marker is a p (adjusted, where the row belongs to a family) below 0.05; its colour is
    the candidate's value of the factor that varies. A row without an interval is a marker alone; an
    undefined difference is a dash. Where the printed columns need it, the page grows wider.

    Args:
        contrasts: CONTRASTS, at least one row.
        arms: the arms table; names what is compared.
        figures: the look.
        confidence: level of the tables' intervals, as the configuration sets it.

    Raises:
        KneeoaError: there is no contrast.
    """
    if contrasts.empty:
        raise KneeoaError("the contrasts table has no rows; declare contrasts in the section 'statistics' or leave the forest plot out.")
    looks = {factor: style.looks(values_of(arms, factor), figures) for factor in set(contrasts["factor"])}
    contrasts = select_rows(contrasts)
    if contrasts.empty:
        raise KneeoaError("the contrasts hold calibration and values at cuts alone, which no forest plot shows; test another metric too.")
    parts = axis_blocks(contrasts)
    line, small = _LINE * figures.font_size / 8, figures.font_size * 0.9
    lines = [len(part.rows) + len(_groups(part.rows, arms, figures)) * 1.5 for part in parts]
    with style.styled(figures):
        headers = [header.format(level=format_percent(confidence)) for header in _HEADERS]
        widths = _widths([_cells(row, arms, figures) for row in row_dicts(contrasts)], headers, small)
        width = max(style.FULL_WIDTH, sum(widths) + _LEAST_PLOT)
        note, note_size = style.wrap_note(_note(contrasts), width), figures.font_size * style.NOTE_SIZE
        below = max(note.count("\n") + 1 - _NOTE_LINES, 0) * 1.2 * note_size / 72
        result = style.new_figure(width, (sum(lines) + 3.4 * len(parts)) * line + 0.5 + below)
        result.set_layout_engine("none")  # the columns of print are placed by hand
        height, top = result.get_figheight(), result.get_figheight() - 0.05
        for part, size in zip(parts, lines, strict=True):
            top -= size * line + 0.5 * line
            box = (sum(widths[:2]) / width, top / height, 1 - sum(widths) / width, size * line / height)
            axis = result.add_axes(box)
            _block(axis, part, arms, looks, figures, _edges(widths, width), headers, small)
            top -= 2.9 * line
        result.text(0.01, 0.05 / height, note, fontsize=note_size, color=style.MUTED, va="bottom")
    return result


def _cells(row: dict[str, Any], arms: Factors, figures: Figures) -> tuple[str, ...]:
    """Printed columns of one row: metric, values compared, difference, smallest detectable
    difference, p, adjusted p, test.
    """
    better = " ↓" if metric_of_row(row["metric"]) in LOWER_IS_BETTER else ""
    metric = sentence_case(f"{display_name(row['level'], figures.labels)} {display_name(row['metric'], figures.labels)}{better}")
    candidate, reference = (_printed(row[side], row["factor"], arms, figures) for side in ("candidate", "reference"))
    difference = format_interval(row["difference"], row["low"], row["high"], 3, 3, signed=True)
    adjusted = UNDEFINED if row["adjustment"] == "none" else format_p(row["p_adjusted"])
    return (
        metric,
        f"{candidate} vs {reference}",
        difference,
        format_number(row["detectable"]),
        format_p(row["p"]),
        adjusted,
        display_name(row["test"]),
    )


def _widths(cells: list[tuple[str, ...]], headers: Sequence[str], size: float) -> list[float]:
    """Width in inches that each printed column needs for its longest text, a gap included."""

    columns = zip(*cells, strict=True)
    return [max(style.text_width(text, size) for text in {header, *column}) + _GAP for header, column in zip(headers, columns, strict=True)]


def _groups(rows: pd.DataFrame, arms: Factors, figures: Figures) -> list[tuple[tuple[str, str, str], pd.DataFrame]]:
    """The rows of each family, of what both arms share and of each cohort, in the order given."""
    names = [
        pair_title(arms, row["candidate"], row["reference"], figures.labels, (row["factor"],))
        if {row["candidate"], row["reference"]} <= set(arms)
        else display_name(str(row["backbone"]), figures.labels)
        for row in row_dicts(rows)
    ]
    keys = ["family", "named", "cohort"]
    return [((str(key[0]), str(key[1]), str(key[2])), group) for key, group in rows.assign(named=names).groupby(keys, sort=False)]


def _edges(widths: list[float], width: float) -> list[float]:
    """Anchors of each column's text, in widths of the plot (0 its left, 1 its right edge)."""
    left, plot = sum(widths[:2]), width - sum(widths)
    starts = [_MARGIN, widths[0] + _MARGIN] + [left + plot + sum(widths[2:k]) + _GAP / 2 for k in range(2, len(widths))]
    return [
        (start + (column_width - _GAP if right else 0) - left) / plot
        for start, column_width, right in zip(starts, widths, _RIGHT, strict=True)
    ]


def _block(
    axis: Axes,
    part: Block,
    arms: Factors,
    looks: dict[str, dict[str, style.Look]],
    figures: Figures,
    edges: list[float],
    headers: Sequence[str],
    small: float,
) -> None:
    across = axis.get_yaxis_transform()

    def write(y: float, cells: Sequence[str], colours: Sequence[str]) -> None:
        for x, right, cell, colour in zip(edges, _RIGHT, cells, colours, strict=True):
            axis.text(x, y, cell, transform=across, ha="right" if right else "left", va="center", color=colour, fontsize=small)

    axis.axvline(0, color=style.MUTED, linewidth=0.7, zorder=0)
    y = 0.3
    write(y, headers, [style.MUTED] * len(headers))
    several = part.rows["cohort"].nunique() > 1
    families = part.rows["family"].nunique() > 1
    for place, ((family, name, cohort), rows) in enumerate(_groups(part.rows, arms, figures)):
        title = name + (f", {display_name(cohort, figures.labels)}" if several else "")
        title += f" ({'in no family' if family == 'none' else f'family: {family}'})" if families else ""
        y += 0.35 if place == 0 else 1.15
        axis.text(edges[0] - 0.02, y, title, transform=across, weight="bold", va="center")
        y += 0.15
        for row in row_dicts(rows):
            y += 1.0
            write(y, _cells(row, arms, figures), [style.INK, style.MUTED] + [style.INK] * 5)
            _mark(
                axis,
                y,
                row,
                looks[row["factor"]].get(value_of(arms.get(row["candidate"], {}), row["factor"])) or style.Look(style.INK, "o", "-"),
            )
        y += 0.2
    axis.set_ylim(y + 0.5, 0)
    limits = part.rows[["low", "high", "difference"]].astype("float64").abs().max().max()
    limit = 1.08 * float(limits) if is_number(limits) and limits > 0 else 1.0
    axis.set(xlim=(-limit, limit), yticks=[], xlabel=part.title)
    axis.spines["left"].set_visible(False)
    axis.locator_params(axis="x", nbins=4)
    axis.grid(axis="x", color=style.RULE, linewidth=0.4)
    axis.set_axisbelow(True)


def _mark(axis: Axes, y: float, row: dict[str, Any], look: style.Look) -> None:
    """Draw interval and estimate, filled where p (adjusted if it belongs to a family) is below
    0.05.
    """
    if not is_number(row["difference"]):
        return
    p = row["p"] if row["adjustment"] == "none" else row["p_adjusted"]
    if is_number(row["low"]) and is_number(row["high"]):
        axis.plot([row["low"], row["high"]], [y, y], color=look.colour, linewidth=1.2, solid_capstyle="butt")
    face = look.colour if is_number(p) and p < SIGNIFICANT else "white"
    axis.plot([row["difference"]], [y], marker=look.marker, markersize=4.4, color=look.colour, markerfacecolor=face, markeredgewidth=1)


def _printed(arm: str, factor: str, arms: Factors, figures: Figures) -> str:
    """An arm's value of the factor that varies; the arm's name where the table does not hold it."""
    return display_value(factor, value_of(arms[arm], factor), figures.labels) if arm in arms else display_name(arm, figures.labels)


def _note(contrasts: pd.DataFrame) -> str:
    families = contrasts[contrasts["adjustment"] != "none"][["family", "adjustment", "m"]].drop_duplicates()
    adjusted = "; ".join(f"{row.family}: {display_name(str(row.adjustment))} over {row.m}" for row in families.itertuples())
    seeds = int(contrasts["seeds"].max())
    text = f"{count_noun(int(contrasts['cases'].max()), 'knee')} of {count_noun(int(contrasts['subjects'].max()), 'subject')}"
    text += f", {count_noun(seeds, 'seed')} an arm" if seeds > 1 else ""
    text += ". Filled: p < .05, adjusted where it belongs to a family."
    text += " ↓: less is better." if contrasts["metric"].map(metric_of_row).isin(LOWER_IS_BETTER).any() else ""
    text += "\nDetectable: the smallest difference that would be found with the configured power."
    return text + (f"\nAdjustment: {adjusted}." if adjusted else "")


def draw(
    contrasts: Path,
    arms: Factors,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    names: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> None:
    """Draw the forest plot of every contrast, or of the named ones, and write it as PDF and PNG.

    ``confidence`` is the level of the intervals in ``contrasts``, as the configuration sets it.

    Raises:
        KneeoaError: the table is not CONTRASTS or holds none of the contrasts.
    """
    rows = CONTRASTS.read(contrasts)
    chosen = rows if names is None else rows[rows["contrast"].isin(names)]
    style.save(figure(chosen, arms, figures, confidence), figures, out_pdf, out_png)
