"""Plot confusion matrices of a level with several classes: row shares as colour, counts in print, a
panel an arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.held_out_predictions import read_predictions
from kneeoa.presentation.arms import MODE, Factors, display_value, panels_of
from kneeoa.presentation.display_names import count_noun, display_name, short_class
from kneeoa.presentation.number_format import format_number
from kneeoa.presentation.summary_rows import summary_row
from kneeoa.tables.statistics import METRICS

FIGURE = {
    "section": "prediction",
    "place": 4,
    "title": "Confusion matrices",
    "caption": "True class by row, predicted class by column; colour is the share of the row, numbers are knees.{sample}",
    "alternative": "Matrices of true against predicted grade, one for each arm with a head for the grade.",
    "inputs": ["predictions", "metrics"],
    "settings": {"arms": "arms_and_ensembles", "level": "graded_level", "classes": "grades", "varied": "varied"},
    "needs": ["graded_level"],
}

_SCORES = ("accuracy", "quadratic_kappa")
_ABREAST = 5
"""Most matrices beside each other with readable numbers."""
_SMALL, _LARGE = 10, 100
"""A mean over seeds is printed with a decimal below the first, and everywhere where no cell reaches
the second.
"""
_RAMP = LinearSegmentedColormap.from_list("share", ["#ffffff", "#dbe5f0", "#7f9fc4", "#004488"])


def confusion(rows: pd.DataFrame, classes: int) -> NDArray[np.float64]:
    """Count cases by true class (rows) and most probable class (columns), shape ``[classes,
    classes]``: the mean over seeds.

    Of equally probable classes the lowest is taken, as ``numpy.argmax`` does.
    """
    seeds = []
    for _, run in rows.groupby("seed"):
        table = np.zeros((classes, classes))
        guess = np.argmax(np.stack(run["probabilities"].to_list()), axis=1)
        np.add.at(table, (run["truth"].to_numpy(), guess), 1)
        seeds.append(table)
    return np.asarray(np.mean(seeds, axis=0))


def figure(
    predictions: pd.DataFrame,
    metrics: pd.DataFrame,
    arms: Factors,
    level: str,
    classes: Sequence[str],
    figures: Figures,
    *,
    cohort: str,
    varied: Sequence[str] = MODE,
) -> Figure:
    """Draw one cohort's matrices: columns are backbones (the sixth begins anew below), rows the
    modes that have a head of this level.

    Args:
        predictions: as :func:`kneeoa.figures.held_out_predictions.read_predictions` returns them.
        metrics: METRICS, for accuracy and, for ordinal levels, weighted kappa above each matrix.
        arms: the arms table.
        level: a level with exclusive classes.
        classes: the classes' names, in order.
        figures: the look.
        cohort: whose test cases to draw.
        varied: the factor that figures tell arms apart by, then those that follow it.
    """
    rows = predictions[predictions["cohort"] == cohort]
    present = set(rows["arm"].unique())
    groups = panels_of(present, arms, figures.labels, varied)
    shown = list(dict.fromkeys(mode for panel in groups for mode, arm in panel.arms.items() if arm in present))
    if not groups:
        raise KneeoaError(f"no arm has test predictions of the level '{level}' in the cohort '{cohort}'; nothing to draw.")
    name = display_name(level, figures.labels)
    with style.styled(figures):
        width = style.FULL_WIDTH * min(1.0, len(groups) / 3 + 0.04)
        lines, columns = style.grid(len(groups), _ABREAST)
        room = width / columns - 0.38  # what ticks and gaps leave of a panel's share
        abreast = [groups[columns * line : columns * (line + 1)] for line in range(lines)]
        drawn = [(mode, panels) for panels in abreast for mode in shown if any(panel.arms.get(mode) in present for panel in panels)]
        places = [(panel, mode) for mode, panels in drawn for panel in panels]
        titles = [(panel.title, display_value(varied[0], mode, figures.labels)) for panel, mode in places]
        headings = style.headings(titles, [_scores(metrics, panel.arms.get(mode), level, cohort) for panel, mode in places], room)
        deepest = max(title.count("\n") for title, _ in headings)
        result = style.new_figure(width, (width / columns + 0.42 + 0.14 * max(0, deepest - 1)) * len(drawn) + 0.3)
        axes, left = result.subplots(len(drawn), columns, squeeze=False), iter(headings)
        for row, (mode, panels) in enumerate(drawn):
            last = row + 1 == len(drawn) or drawn[row + 1][1] is not panels
            for place, (axis, panel) in enumerate(style.axes_of_panels(axes[row], panels)):
                arm, heading = panel.arms.get(mode), next(left)
                if arm is None or arm not in present:
                    style.blank_panel(axis, "not trained")
                    continue
                table = confusion(rows[rows["arm"] == arm], len(classes))
                _matrix(axis, table, [short_class(kind, name) for kind in classes], room / len(classes))
                style.heading(axis, *heading)
                if place == 0:
                    axis.set_ylabel(f"True {name}")
                if last:
                    axis.set_xlabel(f"Predicted {name}")
        cases, seeds = rows["case_id"].nunique(), rows["seed"].nunique()
        mean = f", mean over {seeds} seeds" if seeds > 1 else ""
        style.footnote(result, f"Colour: share of the true class; number: knees{mean}. {count_noun(cases, 'knee')} in each matrix.")
    return result


def _matrix(axis: Axes, table: NDArray[np.float64], classes: Sequence[str], room: float) -> None:
    """Draw one matrix; ``room`` is the width of a cell in inches, to which the longest number is
    shrunk.
    """
    totals = table.sum(axis=1, keepdims=True)
    share = np.divide(table, totals, out=np.zeros_like(table), where=totals > 0)
    axis.imshow(share, cmap=_RAMP, vmin=0, vmax=1)
    whole = (table == table.round()) | ((table >= _SMALL) & (table.max() >= _LARGE))
    texts = {place: format_number(value, 0 if whole[place] else 1) for place, value in np.ndenumerate(table) if value > 0}
    size = mpl.rcParams["font.size"]
    size *= min(1.0, 0.85 * room / max((style.text_width(text, size) for text in texts.values()), default=room))
    for (row, column), text in texts.items():
        colour = "white" if share[row, column] > 0.55 else style.INK
        axis.text(column, row, text, ha="center", va="center", color=colour, size=size).set_in_layout(False)  # it is inside the panel
    ticks = range(len(classes))
    axis.set(xticks=ticks, yticks=ticks, xticklabels=list(classes), yticklabels=list(classes))
    axis.tick_params(length=0)
    between = np.arange(1, len(classes)) - 0.5
    axis.vlines(between, -0.5, len(classes) - 0.5, color="white", linewidth=1)
    axis.hlines(between, -0.5, len(classes) - 0.5, color="white", linewidth=1)
    axis.set(xlim=(-0.5, len(classes) - 0.5), ylim=(len(classes) - 0.5, -0.5))
    for spine in axis.spines.values():
        spine.set(visible=True, color=style.RULE)


def _scores(metrics: pd.DataFrame, arm: str | None, level: str, cohort: str) -> tuple[str, str]:
    summaries = [None if arm is None else summary_row(metrics, arm, level, metric, cohort) for metric in _SCORES]
    first, second = (
        "" if row is None else f"{display_name(metric)} {format_number(row['estimate'], 2)}"
        for metric, row in zip(_SCORES, summaries, strict=True)
    )
    return first, second


def draw(
    predictions: Sequence[Path],
    metrics: Path,
    arms: Factors,
    level: str,
    classes: Sequence[str],
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
    cohort: str | None = None,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw the confusion matrices of ``level`` on the test cases of ``cohort`` (default: the first
    one in the tables).

    Raises:
        KneeoaError: a table is not what it should be, or no arm predicts the level.
    """
    rows = read_predictions(predictions, level)
    if rows.empty:
        raise KneeoaError(f"no arm has test predictions of the level '{level}'; nothing to draw a confusion matrix of.")
    chosen = cohort or sorted(set(rows["cohort"].unique()))[0]
    drawn = figure(rows, METRICS.read(metrics), arms, level, classes, figures, cohort=chosen, varied=varied)
    style.save(drawn, figures, out_pdf, out_png)
