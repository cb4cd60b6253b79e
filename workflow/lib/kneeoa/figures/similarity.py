"""Plot the matrix of unbiased linear CKA between the representations of all runs, ordered by
backbone, mode and seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.presentation.arms import MODE, Factors, display_value, panels
from kneeoa.presentation.display_names import count_noun
from kneeoa.presentation.number_format import format_number
from kneeoa.tables.geometry import SIMILARITY

FIGURE = {
    "section": "representation",
    "place": 2,
    "title": "Similarity of representations",
    "caption": (
        "Unbiased linear CKA of the embeddings of every pair of runs on the test cases: 1 the same up to rotation and scale, "
        "0 unrelated. Blocks on the diagonal are the seeds of one arm."
    ),
    "alternative": "Matrix of the similarity of every pair of runs, ordered by backbone, mode and seed. The means are in the table.",
    "inputs": ["similarity"],
    "settings": {"arms": "arms", "varied": "varied"},
    "needs": ["cohorts"],
}

_WRITTEN = 20
"""Most runs for which each cell has its number; of more, numbers would not be readable in print."""

_COLOURS = "cividis"
"""Readable with and without colour vision, and even in lightness (Nunez, Anderton and Renslow
2018).
"""


def figure(rows: pd.DataFrame, arms: Factors, figures: Figures, *, cohort: str, varied: Sequence[str] = MODE) -> Figure:
    """Draw the CKA of every pair of runs on one cohort's test cases.

    Args:
        rows: SIMILARITY rows.
        arms: the arms table; arms of one backbone, grid and view stand together, in the order of
            the configuration.
        figures: the look.
        cohort: whose test cases.
        varied: the factor that figures tell arms apart by, then those that follow it.

    Raises:
        KneeoaError: no pair of runs was compared on the cohort.
    """
    compared = rows[(rows["kind"] == "runs") & (rows["measure"] == "cka") & (rows["cohort"] == cohort)]
    if compared.empty:
        raise KneeoaError(f"no runs were compared on the test cases of the cohort '{cohort}'; nothing to draw.")
    pairs: list[Any] = list(compared.itertuples())
    ends = {(str(row.arm_a), int(row.seed_a)) for row in pairs} | {(str(row.arm_b), int(row.seed_b)) for row in pairs}
    order = [
        (panel.title, display_value(varied[0], mode, figures.labels), arm)
        for panel in panels(arms, figures.labels, varied)
        for mode, arm in panel.arms.items()
    ]
    runs = [(title, mode, run) for title, mode, arm in order for run in sorted(ends) if run[0] == arm]
    place = {run: index for index, (_, _, run) in enumerate(runs)}
    matrix = np.full((len(runs), len(runs)), np.nan)
    for row in pairs:
        a, b = place[str(row.arm_a), int(row.seed_a)], place[str(row.arm_b), int(row.seed_b)]
        matrix[a, b] = matrix[b, a] = np.nan if row.estimate is None else float(row.estimate)
    written = len(runs) <= _WRITTEN
    with style.styled(figures):
        side = min(style.FULL_WIDTH - 1.9, max(2.6, 0.29 * len(runs)))
        result = style.new_figure(min(style.FULL_WIDTH, side + 2.0), side + 1.15)
        axes = result.subplots()
        colours = mpl.colormaps[_COLOURS].with_extremes(bad=style.RULE)
        image = axes.imshow(matrix, cmap=colours, vmin=0, vmax=1)
        for spine in axes.spines.values():
            spine.set_visible(False)
        if written:
            _numbers(axes, matrix)
        _labels(axes, runs, figures, seeds=written)
        bar = result.colorbar(image, ax=axes, shrink=0.6, pad=0.02, extend="min" if np.nanmin(matrix) < 0 else "neither")
        bar.set_label("CKA")
        bar.outline.set_visible(False)  # type: ignore[operator]
        cases, subjects = int(compared["cases"].max()), int(compared["subjects"].max())
        style.footnote(
            result,
            f"Linear CKA, unbiased, of the embeddings of {count_noun(cases, 'test knee')} of {count_noun(subjects, 'subject')}: "
            "1 the same up to rotation and scale, 0 unrelated; it can fall below 0 by chance."
            + ("" if written else "\nSeeds of an arm stand together, lowest first. Lines part arms, heavy ones backbones."),
        )
    return result


def _numbers(axes: Axes, matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    size = mpl.rcParams["font.size"] * 0.62
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            text = format_number(value, 2).replace("0.", ".", 1)
            axes.text(column, row, text, ha="center", va="center", size=size, color="white" if value < 0.55 else style.INK)


def _labels(axes: Axes, runs: list[tuple[str, str, tuple[str, int]]], figures: Figures, *, seeds: bool) -> None:
    """Label the rows with modes (and seeds where there is room) and the columns with backbones, and
    draw lines between them.
    """
    ticks: list[float] = []
    names: list[str] = []
    start = 0
    for (_, mode, _), members in groupby(runs, key=lambda run: (run[0], run[1], run[2][0])):
        arm_runs = list(members)
        axes.axhline(start - 0.5, color="white", linewidth=0.7)
        axes.axvline(start - 0.5, color="white", linewidth=0.7)
        if seeds and len(arm_runs) > 1:
            ticks += [start + index for index in range(len(arm_runs))]
            names += [f"{mode}, {run[2][1]}" for run in arm_runs]
        else:
            ticks.append(start + (len(arm_runs) - 1) / 2)
            names.append(mode)
        start += len(arm_runs)
    axes.set_yticks(ticks, names)
    axes.set_xticks([])
    axes.tick_params(length=0)
    start = 0
    for title, members in groupby(runs, key=lambda run: run[0]):
        size = len(list(members))
        axes.text(start + (size - 1) / 2, -0.7, title, ha="center", va="bottom", weight="bold")
        if start:
            axes.axhline(start - 0.5, color="white", linewidth=2.6)
            axes.axvline(start - 0.5, color="white", linewidth=2.6)
        start += size


def draw(
    similarity: Path,
    arms: Factors,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    cohort: str | None = None,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw the CKA matrix of every run, on the test cases of ``cohort`` (default: the first one in
    the table).

    Raises:
        KneeoaError: the table is not what it should be, or has no row to draw.
    """
    rows = SIMILARITY.read(similarity)
    chosen = cohort or (str(rows["cohort"].iloc[0]) if len(rows) else "")
    style.save(figure(rows, arms, figures, cohort=chosen, varied=varied), figures, out_pdf, out_png)
