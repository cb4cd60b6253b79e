"""Plot saliency on tissues: each arm's measure beside chance and both nulls, and the contrasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.presentation.arms import MODE, Factors, display_value, panels, value_of, values_of
from kneeoa.presentation.display_names import count_noun, display_name, sentence_case
from kneeoa.presentation.number_format import SIGNIFICANT, format_p, format_percent, is_number
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.saliency import ANATOMY

FIGURE = {
    "section": "anatomy",
    "place": 2,
    "title": "Saliency on tissues",
    "caption": (
        "Enrichment (share of saliency in a tissue over the tissue's share of the image) with {confidence} subject-bootstrap intervals, "
        "beside chance and the same maps shifted at random; right, differences between arms on the same knees."
    ),
    "alternative": "Dot plots of saliency enrichment on each tissue and of its differences between arms. The numbers are in the table.",
    "inputs": ["anatomy"],
    "settings": {"arms": "arms", "confidence": "confidence", "varied": "varied"},
    "needs": ["masks"],
}

Listed = tuple[str, str, dict[str, Any]]
"""Backbone, mode and row of the table."""

_LINE = 0.165
"""Inches a row at 8 points."""


def _arm_rows(rows: pd.DataFrame, arms: Factors, figures: Figures, varied: Sequence[str]) -> list[Listed]:
    """(backbone, mode, row) of each arm, in the order of the configuration."""
    by_arm = {row["arm"]: row for row in row_dicts(rows[rows["kind"] == "arm"])}
    order = [(panel.title, mode, arm) for panel in panels(arms, figures.labels, varied) for mode, arm in panel.arms.items()]
    return [(title, mode, by_arm[arm]) for title, mode, arm in order if arm in by_arm]


def _contrast_rows(rows: pd.DataFrame, arms: Factors, figures: Figures, varied: Sequence[str]) -> list[Listed]:
    """(backbone, candidate's mode, row) of each contrast, in the order of the configuration."""
    contrasts = row_dicts(rows[rows["kind"] == "contrast"])
    order = [(panel.title, mode, arm) for panel in panels(arms, figures.labels, varied) for mode, arm in panel.arms.items()]
    return [(title, mode, row) for title, mode, arm in order for row in contrasts if row["arm"] == arm]


def figure(
    anatomy: pd.DataFrame,
    arms: Factors,
    figures: Figures,
    measure: str = "enrichment",
    confidence: float = 0.95,
    method: str | None = None,
    varied: Sequence[str] = MODE,
) -> Figure:
    """Draw one measure: a row of panels for each tissue (and cohort), arms on the left, contrasts
    on the right.

    Args:
        anatomy: ANATOMY.
        arms: the arms table.
        figures: the look.
        measure: a measure of the table; enrichment is the share of saliency in the tissue over the
            tissue's share of the image.
        confidence: level of the tables' intervals, as the configuration sets it.
        method: of saliency; default: the table's first. Rows by grade are left out.
        varied: the factor that figures tell arms apart by, then those that follow it.

    Raises:
        KneeoaError: no arm has the measure.
    """
    chosen = anatomy[(anatomy["measure"] == measure) & anatomy["grade"].isna()]
    chosen = chosen[chosen["method"] == (method or chosen["method"].iloc[0])] if len(chosen) else chosen
    parts = [
        (str(tissue), str(cohort), rows)
        for (tissue, cohort), rows in chosen.groupby(["tissue", "cohort"], sort=False)
        if (rows["kind"] == "arm").any()
    ]
    if not parts:
        raise KneeoaError(f"the anatomy table has no arm with the measure '{measure}'; nothing to draw.")
    looks = style.looks(values_of(arms, varied[0]), figures)
    contrasted = bool((chosen["kind"] == "contrast").any())
    several = chosen["cohort"].nunique() > 1
    with style.styled(figures):
        listed = [(_arm_rows(rows, arms, figures, varied), _contrast_rows(rows, arms, figures, varied)) for _, _, rows in parts]
        bands = [_bands(*both) for both in listed]
        sizes = [band.end for band in bands]
        width = style.FULL_WIDTH if contrasted else style.FULL_WIDTH * 0.6
        result = style.new_figure(width, (sum(sizes) + 2.2 * len(parts)) * _LINE * figures.font_size / 8 + 0.85)
        axes = result.subplots(len(parts), 2 if contrasted else 1, squeeze=False, sharex="col", height_ratios=sizes)
        for line, (tissue, cohort, _), (arm_rows, differences), band in zip(axes, parts, listed, bands, strict=True):
            place = f", {display_name(cohort, figures.labels)}" if several else ""
            name = sentence_case(display_name(tissue, figures.labels)) + place
            _arms(line[0], arm_rows, band, looks, figures, varied[0])
            line[0].set_title(f"{name}: arms")
            if contrasted:
                _contrasts(line[1], differences, band, arms, looks, figures)
                line[1].set_title(f"{name}: differences")
        axes[0, 0].set_xlim(left=0)
        unit = " (1 = chance)" if measure == "enrichment" else ""
        axes[-1, 0].set_xlabel(f"Saliency {display_name(measure, figures.labels)}{unit}")
        if contrasted:
            axes[-1, 1].set_xlabel(f"Difference in {display_name(measure, figures.labels)}")
        handles = [
            Line2D([], [], color=style.MUTED, linestyle="--", linewidth=0.8, label="chance"),
            Line2D([], [], color=style.INK, linestyle="", marker="|", markersize=7, markeredgewidth=1.2, label="the same maps, shifted"),
        ]
        if chosen["others_mean"].notna().any():
            handles.append(Line2D([], [], color=style.INK, linestyle="", marker="x", markersize=4, label="other subjects' maps"))
        style.draw_legend_above(result, handles, columnspacing=1.2, handletextpad=0.5)
        style.footnote(result, _note(chosen, contrasted, confidence))
    return result


@dataclass(frozen=True)
class _Bands:
    """Vertical positions of rows: each backbone is a band with its heading on top, the same band
    for its arms and its contrasts.
    """

    heading: dict[str, float]
    end: float

    def places(self, rows: Sequence[Listed]) -> list[float]:
        """The height of each row."""
        used: dict[str, int] = {}
        heights = []
        for backbone, _, _ in rows:
            used[backbone] = used.get(backbone, 0) + 1
            heights.append(self.heading[backbone] + used[backbone])
        return heights


def _bands(arm_rows: Sequence[Listed], contrast_rows: Sequence[Listed]) -> _Bands:
    heading: dict[str, float] = {}
    y = 0.5
    for backbone in dict.fromkeys(backbone for backbone, _, _ in arm_rows):
        heading[backbone] = y
        y += 1.3 + max(sum(row_backbone == backbone for row_backbone, _, _ in rows) for rows in (arm_rows, contrast_rows))
    return _Bands(heading, y - 0.6)


def _arms(axis: Axes, rows: Sequence[Listed], band: _Bands, looks: dict[str, style.Look], figures: Figures, factor: str) -> None:
    places = band.places(rows)
    for y, (_, mode, row) in zip(places, rows, strict=True):
        if is_number(row["chance"]):
            axis.plot([row["chance"]] * 2, [y - 0.5, y + 0.5], color=style.MUTED, linestyle="--", linewidth=0.8, zorder=0)
        if is_number(row["null_mean"]):
            axis.plot([row["null_mean"]], [y], marker="|", markersize=7, markeredgewidth=1.2, color=style.INK)
        if is_number(row["others_mean"]):
            axis.plot([row["others_mean"]], [y], marker="x", markersize=4, color=style.INK)
        _mark(axis, y, row, looks[mode], filled=True)
    labels = [display_value(factor, mode, figures.labels) for _, mode, _ in rows]
    _frame(axis, places, labels, band)


def _contrasts(axis: Axes, rows: Sequence[Listed], band: _Bands, arms: Factors, looks: dict[str, style.Look], figures: Figures) -> None:
    places = band.places(rows)
    axis.axvline(0, color=style.MUTED, linewidth=0.7, zorder=0)
    for y, (_, mode, row) in zip(places, rows, strict=True):
        _mark(axis, y, row, looks[mode], filled=is_number(row["p"]) and row["p"] < SIGNIFICANT)
        axis.text(1.02, y, f"p {format_p(row['p'])}", transform=axis.get_yaxis_transform(), va="center", fontsize=figures.font_size * 0.9)
    labels = []
    for _, _, row in rows:
        ends = [(arm, row["factor"] or "mode") for arm in (row["arm"], row["reference"])]
        values = [display_value(factor, value_of(arms[arm], factor), figures.labels) if arm in arms else str(arm) for arm, factor in ends]
        labels.append(" vs ".join(values))
    _frame(axis, places, labels, band)


def _mark(axis: Axes, y: float, row: dict[str, Any], look: style.Look, *, filled: bool) -> None:
    if not is_number(row["estimate"]):
        return
    if is_number(row["low"]) and is_number(row["high"]):
        axis.plot([row["low"], row["high"]], [y, y], color=look.colour, linewidth=1.2, solid_capstyle="butt")
    face = look.colour if filled else "white"
    axis.plot([row["estimate"]], [y], marker=look.marker, markersize=4.6, color=look.colour, markerfacecolor=face, markeredgewidth=1)


def _frame(axis: Axes, places: Sequence[float], labels: Sequence[str], band: _Bands) -> None:
    axis.set_yticks([*band.heading.values(), *places], labels=[*band.heading, *labels])
    for tick in axis.get_yticklabels()[: len(band.heading)]:
        tick.set_fontweight("bold")
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(band.end, 0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color=style.RULE, linewidth=0.4)
    axis.set_axisbelow(True)


def _note(rows: pd.DataFrame, contrasted: bool, confidence: float) -> str:
    cases, subjects = rows.loc[rows["kind"] == "arm", "cases"], rows.loc[rows["kind"] == "arm", "subjects"]
    seeds = int(rows["seeds"].max())
    text = f"Mean over {count_noun(int(subjects.max()), 'subject')} ({count_noun(int(cases.max()), 'knee')}"
    text += f", {count_noun(seeds, 'seed')}" if seeds > 1 else ""
    text += f") with {format_percent(confidence)} subject-bootstrap interval."
    return text + (" p: Wilcoxon over subjects, not adjusted; filled below .05." if contrasted else "")


def draw(
    anatomy: Path,
    arms: Factors,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    measure: str = "enrichment",
    confidence: float = 0.95,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw one measure of saliency on anatomy and write it as PDF and PNG.

    ``confidence`` is the level of the intervals in ``anatomy``, as the configuration sets it.

    Raises:
        KneeoaError: the table is not ANATOMY, or no arm has the measure.
    """
    style.save(figure(ANATOMY.read(anatomy), arms, figures, measure, confidence, varied=varied), figures, out_pdf, out_png)
