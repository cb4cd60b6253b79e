"""Plot the cohort flow: cases found, excluded with reasons, and analysed in each split (after STARD
2015's flow diagram).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.presentation.cohort_flow import Flow, knees_and_subjects, read_flow
from kneeoa.presentation.display_names import count_noun, display_name, sentence_case, short_class

FIGURE = {
    "section": "cohorts",
    "title": "Cohort flow",
    "caption": "Knees and subjects from what was found to what was analysed, with every exclusion's stage and reason, after STARD 2015.",
    "alternative": "Flow diagram: found, excluded, analysed and divided knees of each cohort. The numbers are in the text.",
    "inputs": ["flows"],
    "settings": {"levels": "classes_of_levels"},
    "needs": ["cohorts"],
}

Levels = Mapping[str, Sequence[str]]
"""The hierarchy: each level's classes in order, coarse to fine."""

_STAGES = {"cohort": "listing and labels", "volumes": "images", "masks": "masks", "splits": "division"}
_SPLITS = ("train", "val", "test")
_LINE = 0.165
"""Inches a line of text at 8 points."""
_WRAP = 40
"""Characters a line in a split's box."""
_PAD, _GAP = 0.09, 0.24
"""Inches within a box above and below its text, and between boxes."""


def excluded_lines(flow: Flow) -> list[str]:
    """Return the lines of the box of exclusions: the total, then each stage with its reasons."""
    rows = flow["excluded"]
    if not rows:
        return ["Excluded: none"]
    lines = [f"Excluded: {count_noun(sum(row['cases'] for row in rows), 'knee')}"]
    for stage in dict.fromkeys(row["stage"] for row in rows):
        lines.append(sentence_case(_STAGES.get(stage, stage)))
        lines += [f"    {row['reason'].replace('-', ' ')}: {row['cases']}" for row in rows if row["stage"] == stage]
    return lines


def split_lines(name: str, counts: Mapping[str, Any], levels: Levels, labels: Mapping[str, str]) -> list[str]:
    """Return the lines of a split's box: its size, then the classes of each level in their order,
    wrapped to the box.
    """
    lines = [sentence_case(display_name(name, labels)), knees_and_subjects(counts)]
    for level, classes in levels.items():
        class_counts = counts.get("levels", {}).get(level, {})
        name = display_name(level, labels)
        short = {kind: short_class(kind, name) for kind in classes if kind in class_counts}
        parts = [f"{shown}:\N{NO-BREAK SPACE}{class_counts[kind]}".replace(" ", "\N{NO-BREAK SPACE}") for kind, shown in short.items()]
        named = any(name in shown.split() for shown in short.values())  # "no OA: 12, OA: 13" needs no heading
        if parts:
            lines += textwrap.wrap(("" if named else f"{name}\N{EM SPACE}") + ", ".join(parts), _WRAP, break_long_words=False)
    return lines


def figure(flows: Sequence[Flow], figures: Figures, levels: Levels | None = None) -> Figure:
    """Draw the cohorts one below the other, with the classes of ``levels`` (default: of every
    level, in the account's order).

    Raises:
        KneeoaError: there is no cohort.
    """
    if not flows:
        raise KneeoaError("there is no cohort to draw the flow of.")
    line = _LINE * figures.font_size / 8
    with style.styled(figures):
        plans = [_Plan(flow, levels or _levels(flow), line, figures.labels) for flow in flows]
        height = sum(plan.height for plan in plans) + _GAP * (len(plans) - 1) + 0.1
        result = style.new_figure(style.FULL_WIDTH, height)
        result.set_layout_engine("none")  # boxes are placed in inches
        axis = result.add_axes((0, 0, 1, 1))
        axis.set(xlim=(0, style.FULL_WIDTH), ylim=(height, 0))
        axis.set_axis_off()
        top = 0.05
        for plan in plans:
            plan.draw(axis, top)
            top += plan.height + _GAP
    return result


def _levels(flow: Flow) -> dict[str, Sequence[str]]:
    """The levels and classes that the account names."""
    return {level: list(classes) for split in flow["splits"].values() for level, classes in split.get("levels", {}).items()}


class _Plan:
    """Layout of the boxes of one cohort, in inches from its top."""

    def __init__(self, flow: Flow, levels: Levels, line: float, labels: Mapping[str, str]) -> None:
        self.line = line
        self.title = display_name(flow["cohort"], labels)
        self.found = ["Found", knees_and_subjects(flow["found"])]
        self.excluded = excluded_lines(flow)
        self.analysed = ["Analysed", knees_and_subjects(flow["analysed"])]
        without = sum(row["cases"] for row in flow.get("masks", []))
        self.analysed += [f"{count_noun(without, 'knee')} without a usable mask:", "in every analysis but the anatomy"] if without else []
        repaired = int(flow.get("repaired", 0))
        self.analysed += [f"{count_noun(repaired, 'knee')} with a mask whose header was mended"] if repaired else []
        order = [name for name in _SPLITS if name in flow["splits"]] + sorted(set(flow["splits"]) - set(_SPLITS))
        self.splits = [split_lines(name, flow["splits"][name], levels, labels) for name in order]
        loose = sum(row["rows"] for row in flow.get("loose", []))
        self.loose = f"Files or lines that belong to no knee: {loose}." if loose else ""
        self.middle = self._tall(self.found) + max(self._tall(self.excluded) + 2 * _GAP * 0.6, 2 * _GAP)
        self.bottom = self.middle + self._tall(self.analysed) + 1.4 * _GAP
        tall = max((self._tall(lines) for lines in self.splits), default=0.0)
        self.height = 1.5 * line + self.bottom + tall + (1.3 * line if self.loose else 0)

    def _tall(self, lines: Sequence[str]) -> float:
        return len(lines) * self.line + 2 * _PAD

    def draw(self, axis: Axes, top: float) -> None:
        """Draw the cohort with its upper edge at ``top``."""
        axis.text(0.08, top, self.title, weight="bold", va="top")
        top += 1.5 * self.line
        width, centre, right = style.FULL_WIDTH, 2.2, 4.0
        self._box(axis, centre - 1.35, top, 2.7, self.found)
        self._box(axis, centre - 1.35, top + self.middle, 2.7, self.analysed)
        first = top + self._tall(self.found)
        level = first + (self.middle - self._tall(self.found)) / 2
        self._box(axis, right, level - self._tall(self.excluded) / 2, width - right - 0.08, self.excluded, centred=False)
        _arrow(axis, (centre, first), (centre, top + self.middle))
        _arrow(axis, (centre, level), (right, level))
        low = top + self.middle + self._tall(self.analysed)
        bar, start = low + 0.6 * _GAP, top + self.bottom
        share = width / max(len(self.splits), 2.5)
        centres = [share * (number + 0.5) for number in range(len(self.splits))] if len(self.splits) > 1 else [centre] * len(self.splits)
        if centres:
            axis.plot([centre, centre], [low, bar], color=style.MUTED, linewidth=0.8)
            ends = [*centres, centre]
            axis.plot([min(ends), max(ends)], [bar, bar], color=style.MUTED, linewidth=0.8)
        for x, lines in zip(centres, self.splits, strict=True):
            _arrow(axis, (x, bar), (x, start))
            self._box(axis, x - share / 2 + 0.08, start, share - 0.16, lines, fill="#eef2f7" if lines is self.splits[-1] else "white")
        if self.loose:
            axis.text(0.08, top + self.height - 1.5 * self.line, self.loose, va="bottom", color=style.MUTED)

    def _box(
        self, axis: Axes, left: float, top: float, width: float, lines: Sequence[str], *, centred: bool = True, fill: str = "white"
    ) -> None:
        tall = self._tall(lines)
        box = "round,pad=0,rounding_size=0.04"
        axis.add_patch(FancyBboxPatch((left, top), width, tall, boxstyle=box, facecolor=fill, edgecolor=style.MUTED, linewidth=0.8))
        for number, text in enumerate(lines):
            x = left + width / 2 if centred else left + 0.12
            y = top + _PAD + (number + 0.5) * self.line
            axis.text(x, y, text, ha="center" if centred else "left", va="center", weight="bold" if number == 0 else "normal")


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style_of_line = {"arrowstyle": "-|>", "color": style.MUTED, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 7}
    axis.annotate("", end, start, arrowprops=style_of_line)


def draw(flows: Sequence[Path], figures: Figures, out_pdf: Path, out_png: Path, levels: Levels | None = None) -> None:
    """Draw the flow of every cohort, with the classes of ``levels`` in each split, as PDF and PNG.

    Without ``levels`` every level is shown, levels and classes in alphabetical order, which is how
    the accounts are stored.

    Raises:
        KneeoaError: a file is not a cohort's account.
    """
    style.save(figure([read_flow(path) for path in flows], figures, levels), figures, out_pdf, out_png)
