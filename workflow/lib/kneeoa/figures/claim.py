"""Plot the parts of the claim side by side: a row for each pair of arms, a column for each measure,
differences with intervals.
"""

from __future__ import annotations

from math import floor, log10
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.presentation.arms import Factors, display_value, pair_title, value_of, values_of
from kneeoa.presentation.display_names import count_noun, display_name, sentence_case
from kneeoa.presentation.number_format import format_number, format_percent, is_number
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.statistics import CLAIM

FIGURE = {
    "section": "claim",
    "title": "Prediction, axis and saliency",
    "caption": (
        "Candidate minus reference in each part of the question, a row for each pair of arms. Subjects (with three or "
        "more seeds, seeds too) are drawn once for all columns; bars are {confidence} intervals.{sample}"
    ),
    "alternative": "Differences between arms in prediction, in the order of the severity axis and in saliency, side by side.",
    "inputs": ["claim"],
    "settings": {"arms": "arms", "confidence": "confidence"},
    "needs": ["contrasts_of_arms"],
}

_LINE = 0.27
"""Inches a row."""
_TITLES = {"prediction": "Prediction", "axis": "Severity axis", "saliency": "Saliency"}


def figure(claim: pd.DataFrame, arms: Factors, figures: Figures, confidence: float = 0.95) -> Figure:
    """Draw the differences (candidate - reference): rows are pairs of arms, columns
    the measures that the study has.

    Args:
        claim: CLAIM, at least one row; of several cohorts the first is drawn, and the note says so.
        arms: the arms table.
        figures: the look.
        confidence: level of the intervals, as the configuration sets it.

    Raises:
        KneeoaError: the table has no rows.
    """
    if claim.empty:
        raise KneeoaError("the claim's table has no rows; declare contrasts in the section 'statistics'.")
    cohorts = sorted(set(claim["cohort"].unique()))
    rows = claim[claim["cohort"] == cohorts[0]]
    columns = list(dict.fromkeys(zip(rows["part"], rows["level"], rows["measure"], rows["of"], strict=True)))
    columns.sort(key=lambda column: list(_TITLES).index(column[0]))
    lines = list(dict.fromkeys(zip(rows["factor"], rows["candidate"], rows["reference"], strict=True)))
    lines.sort(key=lambda line: _rank(line, rows, arms))
    looks = {factor: style.looks(values_of(arms, factor), figures) for factor in set(rows["factor"])}
    with style.styled(figures):
        result = style.new_figure(style.FULL_WIDTH, _LINE * len(lines) * figures.font_size / 8 + 1.35)
        axes = result.subplots(1, len(columns), squeeze=False, sharey=True)[0]
        for axis, column in zip(axes, columns, strict=True):
            _column(axis, rows, column, lines, arms, looks, figures)
        axes[0].set_yticks(range(len(lines)), [_line(line, arms, figures) for line in lines])
        axes[0].set_ylim(len(lines) - 0.5, -0.5)
        style.footnote(result, _note(rows, cohorts, confidence, figures))
    return result


def _column(
    axis: Axes,
    rows: pd.DataFrame,
    column: tuple[str, str, str, str],
    lines: list[tuple[str, str, str]],
    arms: Factors,
    looks: dict[str, dict[str, style.Look]],
    figures: Figures,
) -> None:
    part, level, measure, of = column
    column_rows = rows[(rows["part"] == part) & (rows["level"] == level) & (rows["measure"] == measure) & (rows["of"] == of)]
    limits = column_rows[["low", "high", "difference"]].astype("float64").abs().max().max()
    limit = 1.15 * float(limits) if is_number(limits) and limits > 0 else 1.0
    digits = max(2, 1 - floor(log10(limit)))
    axis.axvline(0, color=style.MUTED, linewidth=0.7, zorder=0)
    for row in row_dicts(column_rows):
        y = lines.index((row["factor"], row["candidate"], row["reference"]))
        if not is_number(row["difference"]):
            continue
        look = looks[row["factor"]].get(value_of(arms[row["reference"]], row["factor"])) if row["reference"] in arms else None
        colour, marker = (look.colour, look.marker) if look else (style.INK, "o")
        if is_number(row["low"]) and is_number(row["high"]):
            axis.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.3, solid_capstyle="butt")
        clear = is_number(row["low"]) and row["low"] * row["high"] > 0
        face = colour if clear else "white"
        axis.plot([row["difference"]], [y], marker=marker, markersize=4.8, color=colour, markerfacecolor=face, markeredgewidth=1)
        axis.annotate(
            format_number(row["difference"], digits, signed=True),
            (row["difference"], y),
            (0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=figures.font_size * 0.75,
            color=style.MUTED,
        )
    name = display_name(of if part == "saliency" else level, figures.labels)
    subtitles = {"axis": f"ρ with {name}", "saliency": f"{display_name(measure, figures.labels)} on {name}"}
    style.heading(axis, _TITLES[part], subtitles.get(part, f"{name} {display_name(measure, figures.labels)}"))
    axis.set_xlim(-limit, limit)
    axis.locator_params(axis="x", nbins=4)
    axis.grid(axis="x", color=style.RULE, linewidth=0.4)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.set_axisbelow(True)


def _line(line: tuple[str, str, str], arms: Factors, figures: Figures) -> str:
    factor, candidate, reference = line
    if not {candidate, reference} <= set(arms):
        return f"{display_name(candidate, figures.labels)} vs {display_name(reference, figures.labels)}"
    pair = [display_value(factor, value_of(arms[arm], factor), figures.labels) for arm in (candidate, reference)]
    name = pair_title(arms, candidate, reference, figures.labels, (factor,))
    return f"{name}: {pair[0]} vs {pair[1]}" if name else f"{pair[0]} vs {pair[1]}"


def _rank(line: tuple[str, str, str], rows: pd.DataFrame, arms: Factors) -> int:
    """Pairs of one backbone stand together, in the order of the configuration; pairs across
    backbones come last.
    """
    shared = rows.loc[(rows["candidate"] == line[1]) & (rows["reference"] == line[2]), "backbone"].iloc[0]
    order = [str(factors["backbone"]) for factors in arms.values()]
    return order.index(shared) if shared in order else len(order)


def _note(rows: pd.DataFrame, cohorts: list[str], confidence: float, figures: Figures) -> str:
    cases, subjects, seeds = (int(rows[key].max()) for key in ("cases", "subjects", "seeds"))
    sample = f"{count_noun(cases, 'test knee')} of {count_noun(subjects, 'subject')}, {count_noun(seeds, 'seed')} an arm"
    only = f" Drawn: {display_name(cohorts[0], figures.labels)}; the table holds {len(cohorts)} cohorts." if len(cohorts) > 1 else ""
    resampled = " or ".join(sorted(set(rows["resampled"].unique())))
    text = f"Candidate − reference. {sentence_case(sample)}. Bars: {format_percent(confidence)} bootstrap interval, {resampled} "
    return text + "resampled once for all columns. Filled: the interval leaves out zero (not adjusted)." + only


def draw(claim: Path, arms: Factors, figures: Figures, out_pdf: Path, out_png: Path, confidence: float = 0.95) -> None:
    """Draw the claim and write it as PDF and PNG; ``confidence`` is the level of the intervals in
    ``claim``.

    Raises:
        KneeoaError: the file is not CLAIM, or has no rows.
    """
    style.save(figure(CLAIM.read(claim), arms, figures, confidence), figures, out_pdf, out_png)
