"""Plot the learned severity axis: the position of each test case, coloured by grade, and the order
of the grades along it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.held_out_predictions import scan_rows
from kneeoa.presentation.arms import MODE, Factors, display_value, panels_of
from kneeoa.presentation.display_names import count_noun, display_name, short_class
from kneeoa.presentation.number_format import format_interval, format_percent, format_range
from kneeoa.tables.geometry import AXIS, GEOMETRY

FIGURE = {
    "section": "representation",
    "place": 1,
    "title": "Severity axis",
    "caption": (
        "Test knees on an axis fitted on training knees. Above, the plane of the axis and the next direction; below, the order of the "
        "grades along it. ρ is Spearman's correlation with its {confidence} interval over subjects.{sample}"
    ),
    "alternative": "Scatter and strip plots of the learned severity axis, coloured by grade, one panel for each arm.",
    "inputs": ["axes", "measures"],
    "settings": {
        "arms": "arms",
        "varied": "varied",
        "axis": "axis",
        "level": "axis_level",
        "classes": "axis_grades",
        "confidence": "confidence_of_geometry",
    },
    "needs": ["axis"],
    "slow": True,
}

MANY = 500
"""Points of a panel above which the PDF holds them as a picture: outlines take most of its time and
size.
"""


def figure(
    placed: pd.DataFrame,
    measures: pd.DataFrame,
    arms: Factors,
    axis: str,
    level: str,
    classes: Sequence[str],
    figures: Figures,
    *,
    cohort: str,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> Figure:
    """Draw one cohort's test cases: columns are modes, rows backbones; in each panel the plane of
    the axis above and its grades below.

    The lowest seed of an arm is drawn; every seed's rank correlation is in the heading.

    Args:
        placed: AXIS rows; of each arm its lowest seed is enough.
        measures: GEOMETRY rows of every run; the Spearman correlation against ``level`` is printed.
        arms: the arms table.
        axis: which axis, ``pc1`` or ``centroid``.
        level: the ordinal level whose grades were placed.
        classes: that level's classes, in order.
        figures: the look.
        cohort: whose test cases to draw.
        confidence: level of the tables' intervals, as the configuration sets it.
        varied: the factor that figures tell arms apart by, then those that follow it.

    Raises:
        KneeoaError: no arm has the axis.
    """
    rows = placed[(placed["axis"] == axis) & (placed["cohort"] == cohort) & (placed["split"] == "test") & placed["grade"].notna()]
    present = set(rows["arm"].unique())
    groups = panels_of(present, arms, figures.labels, varied)
    if not groups:
        raise KneeoaError(f"no arm places test cases of the cohort '{cohort}' on the axis '{axis}'; nothing to draw.")
    shown = list(dict.fromkeys(mode for panel in groups for mode, arm in panel.arms.items() if arm in present))
    colours, name = style.grade_colours(len(classes)), display_name(level, figures.labels)
    short = [short_class(kind, name) for kind in classes]
    with style.styled(figures):
        width = style.FULL_WIDTH * min(1.0, len(shown) / 3 + 0.1)
        result = style.new_figure(width, 2.3 * len(groups) + 0.8)
        axes = result.subplots(2 * len(groups), len(shown), squeeze=False, height_ratios=[1.25, 1] * len(groups))
        limits = _reach(rows)  # set on each panel: matplotlib visits all shared axes whenever it visits one
        column_width = 0.75 * width / len(shown)  # of a column, what its ticks and labels leave
        places = [(panel, mode) for panel in groups for mode in shown]
        titles = [(panel.title, display_value(varied[0], mode, figures.labels)) for panel, mode in places]
        headings = iter(
            style.headings(
                titles, [_correlation(measures, panel.arms.get(mode), axis, level, cohort) for panel, mode in places], column_width
            )
        )
        for line, panel in enumerate(groups):
            for column, mode in enumerate(shown):
                above, below = axes[2 * line, column], axes[2 * line + 1, column]
                arm, heading = panel.arms.get(mode), next(headings)
                if arm is None or arm not in present:
                    style.blank_panel(above, "not trained")
                    style.blank_panel(below, "")
                    continue
                arm_rows = rows[rows["arm"] == arm]
                arm_rows = arm_rows[arm_rows["seed"] == arm_rows["seed"].min()]
                _plane(above, arm_rows, colours)
                _strips(below, arm_rows, short, colours)
                style.heading(above, *heading)
                above.set(xlim=limits)
                below.set(xlim=limits)
                above.tick_params(axis="x", labelbottom=False)
                below.tick_params(axis="x", labelbottom=line == len(groups) - 1)
            axes[2 * line, 0].set_ylabel("Across (SD)")
            axes[2 * line + 1, 0].set_ylabel(name)
        for lowest in axes[-1]:
            lowest.set_xlabel("Position on the axis (SD)")
        handles = [
            Line2D([], [], linestyle="", marker="o", color=colour, label=f"{name} {kind}")
            for colour, kind in zip(colours, short, strict=True)
        ]
        style.draw_legend_above(result, handles, columnspacing=1.2, handletextpad=0.2)
        style.footnote(result, _note(rows, measures, axis, confidence))
    return result


def _reach(rows: pd.DataFrame) -> tuple[float, float]:
    """Limits of the horizontal axis of every panel."""
    low, high = float(rows["position"].min()), float(rows["position"].max())
    margin = 0.06 * (high - low) or 0.5
    return low - margin, high + margin


def _plane(axis: Axes, rows: pd.DataFrame, colours: Sequence[tuple[float, float, float, float]]) -> None:
    axis.axvline(0, color=style.RULE, linewidth=0.6, zorder=0)
    points = [colours[int(grade)] for grade in rows["grade"]]
    axis.scatter(rows["position"], rows["across"], c=points, s=13, edgecolors="white", linewidths=0.35, rasterized=len(rows) > MANY)
    axis.locator_params(axis="y", nbins=4)
    axis.margins(0.06)


def _strips(axis: Axes, rows: pd.DataFrame, classes: Sequence[str], colours: Sequence[tuple[float, float, float, float]]) -> None:
    """One strip a grade: every case, the middle half as a box and the median as a bar."""
    rng = np.random.default_rng(0)  # jitter only
    axis.axvline(0, color=style.RULE, linewidth=0.6, zorder=0)
    grades = rows["grade"].to_numpy(dtype=int)
    order = np.argsort(grades, kind="stable")
    position, grades = rows["position"].to_numpy()[order], grades[order]
    present = np.unique(grades)
    low, middle, high = np.array([np.percentile(position[grades == grade], (25, 50, 75)) for grade in present]).T
    fills = [colours[grade] for grade in present]
    axis.barh(present, high - low, left=low, height=0.62, color=fills, alpha=0.25, linewidth=0)
    axis.barh(present, high - low, left=low, height=0.62, color="none", edgecolor=style.INK, linewidth=0.4, zorder=2)
    points, jittered = [colours[grade] for grade in grades], grades + rng.uniform(-0.22, 0.22, grades.size)
    axis.scatter(position, jittered, color=points, s=5, linewidths=0, rasterized=len(rows) > MANY)
    axis.vlines(middle, present - 0.34, present + 0.34, color=style.INK, linewidth=1.3)
    axis.plot(middle, present, color=style.INK, linewidth=0.6, alpha=0.5, zorder=1)
    axis.set(yticks=range(len(classes)), yticklabels=list(classes), ylim=(-0.6, len(classes) - 0.4))
    axis.tick_params(axis="y", length=0)


def _correlation(measures: pd.DataFrame, arm: str | None, axis: str, level: str, cohort: str) -> tuple[str, str]:
    """Text of the drawn seed's correlation with its interval, and of the range over seeds where
    there are several.
    """
    rows = measures[(measures["arm"] == arm) & (measures["axis"] == axis) & (measures["against"] == level) & (measures["cohort"] == cohort)]
    rows = rows[(rows["measure"] == "spearman") & (rows["split"] == "test")].sort_values("seed")
    if rows.empty:
        return "", ""
    first = rows.iloc[0]
    estimate = f"ρ {format_interval(first['estimate'], first['low'], first['high'], 2)}"
    return estimate, f"seeds {format_range(rows['estimate'].tolist())}" if len(rows) > 1 else ""


def _note(rows: pd.DataFrame, measures: pd.DataFrame, axis: str, confidence: float) -> str:
    cases, subjects = rows["case_id"].nunique(), rows["subject"].nunique()
    seeds = measures["seed"].nunique()
    drawn = f"; drawn: seed {rows['seed'].min()} of {seeds}" if seeds > 1 else ""
    return (
        f"{display_name(axis).capitalize()}, fitted on training cases, in their standard deviations. {count_noun(cases, 'test knee')} of "
        f"{count_noun(subjects, 'subject')}{drawn}.\nρ: Spearman with {format_percent(confidence)} interval. "
        "Below: every knee, middle half and median of each grade."
    )


def draw(
    axes: Sequence[Path],
    measures: Sequence[Path],
    arms: Factors,
    axis: str,
    level: str,
    classes: Sequence[str],
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    cohort: str | None = None,
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw one severity axis of every arm, for the test cases of ``cohort`` (default: the first one
    in the tables).

    ``confidence`` is the level of the intervals in ``measures``, as the configuration sets it.

    Raises:
        KneeoaError: a table is not what it should be, or no arm has the axis.
    """
    placed = scan_rows(AXIS, axes, {"axis": axis, "split": "test"}, ["split", "subject", "position", "across", "grade"])
    cohorts = sorted(set(placed["cohort"].unique()))
    chosen = cohort or (cohorts[0] if cohorts else "")
    wanted = {"axis": axis, "measure": "spearman", "split": "test"}
    correlations = scan_rows(GEOMETRY, measures, wanted, ["estimate", "low", "high"])
    result = figure(placed, correlations, arms, axis, level, classes, figures, cohort=chosen, confidence=confidence, varied=varied)
    style.save(result, figures, out_pdf, out_png)
