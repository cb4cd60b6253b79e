"""Split a level of several classes or findings into yes-or-no questions, each with predictions of a
binary level, for curves by class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.held_out_predictions import read_finding_predictions, read_predictions
from kneeoa.level_derivation import derive_probabilities
from kneeoa.presentation.arms import MODE, Factors, Panel, panels_of
from kneeoa.presentation.display_names import count_noun, display_name, sentence_case


@dataclass(frozen=True)
class Question:
    """One yes-or-no question on the test cases of one cohort."""

    level: str
    title: str
    """The question: a finding, a class against the others, or a grade and more."""
    row: str
    """The name that its AUC and Brier score have in METRICS, with {} for the metric."""
    cohort: str
    rows: pd.DataFrame
    """As :func:`kneeoa.figures.held_out_predictions.read_predictions` returns them for a binary
    level.
    """


@dataclass(frozen=True)
class Place:
    """A panel of the figure: a question, the arms that answer it and a title."""

    question: Question
    panel: Panel


def questions_of(predictions: Sequence[Path], levels: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> list[Question]:
    """List the questions of levels, given as the configuration has them; errors as
    :func:`questions`.
    """
    return [each for level in levels for each in questions(predictions, Level.model_validate(level), labels)]


def questions(predictions: Sequence[Path], level: Level, labels: Mapping[str, str]) -> list[Question]:
    """List the questions of a level, cohort by cohort: each finding of a multilabel level, each
    class of a nominal one against the others, each cut of an ordinal one.

    Raises:
        KneeoaError: a table is not what it should be.
    """
    rows = (read_predictions if level.exclusive else read_finding_predictions)(predictions, level.name)
    several = rows["cohort"].nunique() > 1
    return [
        replace(each, title=f"{each.title}, {display_name(str(cohort), labels)}" if several else each.title)
        for cohort, part in rows.groupby("cohort", sort=True)
        for each in _questions_of_cohort(part, level, str(cohort), labels)
    ]


def _questions_of_cohort(rows: pd.DataFrame, level: Level, cohort: str, labels: Mapping[str, str]) -> Iterator[Question]:
    probabilities = np.stack(rows["probabilities"].to_list())
    truth = np.stack(rows["truth"].to_list())
    names = [sentence_case(display_name(name, labels)) for name in level.classes]
    for index, name in enumerate(names):
        if not level.exclusive:
            yes, answer, title, row = probabilities[:, index], truth[:, index], name, f"{{}}[{level.classes[index]}]"
        elif not (level.ordered or level.binary):
            yes, answer, title, row = probabilities[:, index], truth == index, f"{name} or not", f"{{}}[{level.classes[index]}]"
        elif index == 0:
            continue
        else:
            groups = [int(other >= index) for other in range(len(names))]
            yes, answer = derive_probabilities(probabilities, groups, 2)[:, 1], truth >= index
            title, row = f"{name} or more" if index + 1 < len(names) else name, f"cut_{{}}_{index}"
        read = ~np.isnan(answer.astype(np.float64))
        binary = rows.assign(truth=np.where(read, answer, 0).astype(np.int64), probabilities=list(np.column_stack([1 - yes, yes])))
        yield Question(level.name, title, row, cohort, binary[read])


def panel_blocks(asked: Sequence[Question], arms: Factors, figures: Figures, varied: Sequence[str] = MODE) -> list[list[Place]]:
    """Arrange the figure's panels in blocks, each of which begins a line: a block a level and
    cohort where all arms share a panel, else a block a question with a panel a backbone.

    Raises:
        KneeoaError: no arm answers a question.
    """
    blocks: dict[tuple[str, ...], list[Place]] = {}
    for question in asked:
        present = set(question.rows["arm"].unique())
        groups = panels_of(present, arms, figures.labels, varied)
        one_panel = len(groups) == 1
        for panel in groups:
            title = question.title if one_panel else f"{panel.title}: {question.title}"
            key = (question.level, question.cohort) if one_panel else (question.level, question.cohort, question.title)
            blocks.setdefault(key, []).append(Place(question, replace(panel, title=title)))
    if not blocks:
        raise KneeoaError("no arm has test predictions of a level of several classes; nothing to draw by class.")
    return list(blocks.values())


def draw_panels(
    blocks: Sequence[Sequence[Place]], heights: Sequence[float], inches: Callable[[float], float], draw: Callable[[list[Axes], Place], None]
) -> Figure:
    """Draw a figure with a panel for each place, at most ``style.ABREAST`` beside each other.

    Args:
        blocks: as :func:`blocks_of` gives them; each begins a line.
        heights: relative heights of the axes of a panel, from above.
        inches: height of a line of panels, of the width of a panel.
        draw: draws one place into its axes, from above.
    """
    columns = min(style.ABREAST, max(map(len, blocks)))
    cut = [list(block[start : start + columns]) for block in blocks for start in range(0, len(block), columns)]
    width = style.FULL_WIDTH * (1.0 if columns > 1 else 0.5)
    result = style.new_figure(width, inches(width / columns) * len(cut) + 0.3)
    axes = result.subplots(len(heights) * len(cut), columns, squeeze=False, height_ratios=[*heights] * len(cut))
    for line, places in enumerate(cut):
        part = axes[line * len(heights) : (line + 1) * len(heights)]
        for column in range(columns):
            if column < len(places):
                draw(list(part[:, column]), places[column])
            else:
                for axis in part[:, column]:
                    axis.remove()
    return result


def cases_note(asked: Sequence[Question]) -> str:
    """Print the number of cases and subjects, and of seeds where curves are means: ``98 knees of 60
    subjects.``
    """
    rows = pd.concat([question.rows[["cohort", "case_id", "subject", "seed"]] for question in asked])
    cases, subjects = rows[["cohort", "case_id"]].drop_duplicates(), rows[["cohort", "subject"]].drop_duplicates()
    seeds = rows["seed"].nunique()
    several = f"; means over {seeds} seeds" if seeds > 1 else ""
    return f"{count_noun(len(cases), 'knee')} of {count_noun(len(subjects), 'subject')}{several}."
