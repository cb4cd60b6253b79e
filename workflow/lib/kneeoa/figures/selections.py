"""Draw what a plug-in chose over images: the scores of every location and the chosen ones, map by
map, for a few knees from mild to severe.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.case_images import PLANES, Case, CaseArrays, examples, grades, largest_slice, slice_spacing, spacing
from kneeoa.figures.saliency import overlay_colours
from kneeoa.figures.volumes import draw_contour, draw_label, grey_window, hide_frame
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.presentation.arms import ArmNames, Factors
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_range
from kneeoa.tables.selections import SELECTIONS, part_of_image
from kneeoa.tables.shards import MASKS, VOLUMES

FIGURE = {
    "section": "selections",
    "place": 1,
    "title": "Chosen locations over images",
    "caption": (
        "Scores of all locations and the locations that a plug-in chose, for the same knees on each of its maps from fine to coarse. A "
        "location is drawn as its cell of the map's grid, though a network looks further. The colours of a column run from its lowest to "
        "its highest score. Cases are chosen by grade and name, not by result."
    ),
    "alternative": "Knee images with a map of scores overlaid and the chosen cells outlined, one column for each map of the network.",
    "inputs": ["selections", "volumes", "masks", "labels", "splits"],
    "settings": {"arms": "arms", "tissues": "tissues", "targets": "targets", "view": "view", "level": "pictured_level"},
    "needs": ["selections"],
    "slow": True,
}

_CHOSEN = "#33DDFF"
_TISSUE = "#FFFFFF"


@dataclass(frozen=True)
class Selected:
    """One map of one case."""

    scores: NDArray[np.float32]
    """Scores of the cells of the picture, ``[down, across]``."""
    cells: list[tuple[int, int]]
    """Chosen cells in the picture, (down, across)."""
    picture: NDArray[np.floating]
    target: NDArray[np.bool_] | None
    """The tissue on the picture."""
    note: str
    """In a slice of a volume: how many of the chosen locations lie in it."""


@dataclass(frozen=True)
class Row:
    """One knee."""

    title: str
    picture: NDArray[np.floating]
    target: NDArray[np.bool_] | None
    maps: list[Selected | None]
    """Fine to coarse; None where locations have no place in the image."""
    pixel: tuple[float, float]
    """Millimetres of a pixel, (down, across)."""


def score_colours() -> ListedColormap:
    """Return the colour map of saliency, more transparent: the lowest score of a map covers the
    image as a whole, where saliency is mostly zero.
    """
    colours = overlay_colours()(np.linspace(0, 1, 256))
    colours[:, 3] *= 0.65
    return ListedColormap(colours, name="scores")


def figure(rows: Sequence[Row], headings: Sequence[str], title: str, note: str, figures: Figures) -> Figure:
    """Draw the rows; ``headings`` name the maps.

    Raises:
        KneeoaError: there is no row.
    """
    if not rows:
        raise KneeoaError("no test case with kept scores has an image and a grade; there is no selection to draw.")
    with style.styled(figures):
        columns = len(headings) + 1
        panel = min(1.72, (style.FULL_WIDTH - 0.3) / columns)
        ratios = [row.picture.shape[0] * row.pixel[0] / (row.picture.shape[1] * row.pixel[1]) for row in rows]
        result = style.new_figure(panel * columns + 0.3, panel * sum(ratios) + 1.35)
        result.suptitle(title, x=0.01, ha="left", weight="bold", fontsize=figures.font_size * 1.05)
        axes = result.subplots(len(rows), columns, squeeze=False, height_ratios=ratios)
        limits = [_limits([row.maps[number] for row in rows]) for number in range(len(headings))]
        for line, row in zip(axes, rows, strict=True):
            line[0].set_ylabel(row.title)
            _image(line[0], row.picture, row.target, row.pixel, 0.8)
            for axis, selected, limit in zip(line[1:], row.maps, limits, strict=True):
                _panel(axis, row, selected, limit)
        axes[0, 0].set_title("Image", loc="center", weight="normal")
        for axis, heading, limit in zip(axes[0, 1:], headings, limits, strict=True):
            scores = "" if limit is None else f"\nscores {format_range(list(limit))}"
            axis.set_title(heading + scores, loc="center", weight="normal")
        bar = result.colorbar(ScalarMappable(cmap=score_colours()), ax=axes, location="bottom", aspect=45, shrink=0.5, pad=0.02)
        bar.set_ticks([0, 1], labels=["lowest score of the column", "highest"])
        bar.outline.set_visible(False)
        style.footnote(result, note)
    return result


def _limits(maps: Sequence[Selected | None]) -> tuple[float, float] | None:
    present = [each.scores for each in maps if each is not None]
    return (min(float(each.min()) for each in present), max(float(each.max()) for each in present)) if present else None


def _extent(picture: NDArray[np.floating]) -> tuple[float, float, float, float]:
    down, across = picture.shape
    return (-0.5, across - 0.5, down - 0.5, -0.5)


def _image(axis: Axes, picture: NDArray[np.floating], target: NDArray[np.bool_] | None, pixel: tuple[float, float], contour: float) -> None:
    black, white = grey_window(picture)
    look: dict[str, Any] = {"cmap": "gray", "vmin": black, "vmax": white, "interpolation": "bilinear"}
    axis.imshow(picture.astype(np.float32), extent=_extent(picture), aspect=pixel[0] / pixel[1], **look)
    if target is not None:
        draw_contour(axis, target, _TISSUE, contour)
    hide_frame(axis)


def _panel(axis: Axes, row: Row, selected: Selected | None, limits: tuple[float, float] | None) -> None:
    if selected is None or limits is None:
        style.blank_panel(axis, "no place\nin the image")
        return
    _image(axis, selected.picture, selected.target, row.pixel, 0.5)
    low, high = limits
    scaled = (selected.scores - low) / (high - low) if high > low else np.zeros_like(selected.scores)
    aspect = row.pixel[0] / row.pixel[1]
    extent = _extent(selected.picture)
    axis.imshow(scaled, cmap=score_colours(), vmin=0, vmax=1, interpolation="nearest", extent=extent, aspect=aspect)
    high_side, wide = (side / cells for side, cells in zip(selected.picture.shape, selected.scores.shape, strict=True))
    cells = [Rectangle((across * wide - 0.5, down * high_side - 0.5), wide, high_side) for down, across in selected.cells]
    axis.add_collection(PatchCollection(cells, facecolor="none", edgecolor=_CHOSEN, linewidth=0.7))
    axis.set(xlim=extent[:2], ylim=extent[2:])
    if selected.note:
        draw_label(axis, 0.97, 0.03, selected.note, ha="right", va="bottom")


def selected_map(row: Mapping[str, Any], image: NDArray[np.floating], mask: NDArray[np.bool_] | None) -> Selected | None:
    """One map of a case for the picture; None where its locations have no place in the image.

    Of a volume it is the sagittal slice in which most of the chosen locations lie, of several the
    first.

    Args:
        row: of SELECTIONS, with its ``score_map``.
        image: canonical image, two or three axes.
        mask: of the tissue on the image's grid.
    """
    grid, before = tuple(int(cells) for cells in row["grid"]), int(row["before"])
    if not grid:
        return None
    scores = np.asarray(row["score_map"], dtype=np.float32)[before:].reshape(grid)
    chosen = np.asarray(row["chosen"], dtype=np.int64) - before
    places = np.stack(np.unravel_index(chosen[chosen >= 0], grid), axis=1)
    if image.ndim == 2:
        return Selected(scores, [(int(down), int(across)) for down, across in places], image, mask, "")
    layer = int(np.bincount(places[:, 0], minlength=grid[0]).argmax())
    inside = places[places[:, 0] == layer]
    index = int((layer + 0.5) * image.shape[0] / grid[0])
    cells = [(int(down), int(across)) for _, down, across in inside]
    return Selected(scores[layer], cells, image[index], None if mask is None else mask[index], f"{len(inside)} of {len(chosen)}")


def draw(
    selections: Sequence[Path],
    volumes: Sequence[Path],
    masks: Sequence[Path],
    labels: Sequence[Path],
    splits: Sequence[Path],
    arms: Factors,
    tissues: Mapping[str, Collection[str]],
    targets: Mapping[str, Collection[str]],
    view: str,
    level: str,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
) -> None:
    """Draw the selections of the first arm over the canonical images, for a few test cases.

    Args:
        selections: SELECTIONS tables of single runs, in the order of the configuration.
        volumes: lists of the shards of canonical images.
        masks: lists of the shards of aligned masks; may be empty.
        labels: LABELS tables.
        splits: SPLITS tables.
        arms: the arms table.
        tissues: for each cohort with masks, its tissues' names.
        targets: groups of tissues; the first group is outlined.
        view: which kind of image.
        level: the level whose grades the examples spread over, and whose selections are drawn where
            it has some; else those of the table's last level.
        figures: the look and the number of examples.
        out_pdf: where the PDF goes.
        out_png: where the PNG goes.

    Raises:
        KneeoaError: a file is not what it should be, or there is no case to draw.
    """
    table = SELECTIONS.read(selections[0])
    kept = table[table["score_map"].notna()]
    levels = sorted(set(kept["level"]))
    chosen_level = level if level in levels or not levels else levels[-1]
    by_case = _by_case(kept[kept["level"] == chosen_level])
    images, outlines = CaseArrays(VOLUMES, *listed_shards(volumes), view), CaseArrays(MASKS, *listed_shards(masks), view)
    available = [case for case in images.cases() if case in by_case]
    wanted = next(iter(targets.values()), ())
    rows, flat = [], True
    for case, grade in examples(grades(labels, splits, level), available, outlines.cases(), figures.example_cases):
        part = part_of_image(by_case[case][0]["window"])
        image = images.array(case)[part]
        flat = image.ndim == 2
        values = [value for value, name in enumerate(sorted(tissues.get(case[0], ())), 1) if name in wanted]
        mask = np.isin(outlines.array(case)[part], values) if case in outlines and values else None
        millimetres = spacing(images.record(case), image.ndim)
        pixel = (millimetres[0], millimetres[1]) if flat else slice_spacing(millimetres, PLANES[0])
        index = None if flat else largest_slice(mask, image.shape, 0)
        maps = [selected_map(row, image, mask) for row in by_case[case]]
        title = f"{display_name(level, figures.labels)} {grade}"
        rows.append(Row(title, _slice(image, index), None if mask is None else _slice(mask, index), maps, pixel))
    names = ArmNames(arms, figures.labels)
    arm, seed = (str(table[name].iloc[0]) if len(table) else "" for name in ("arm", "seed"))
    title = f"{names.backbone(arm)}, {names.mode(arm)}: chosen by the {display_name(chosen_level, figures.labels)} heads"
    group = display_name(next(iter(targets), ""), figures.labels)
    outlined = f"; in white: {group}" if any(row.target is not None for row in rows) else ""
    where = (
        "Left knees are mirrored." if flat else "Sagittal slices, for each map the one with most of its chosen locations (how many of all)."
    )
    note = f"Outlined in blue: chosen locations{outlined}. Seed {seed}.\n{where}"
    headings = [_heading(row) for row in next(iter(by_case.values()), [])]
    style.save(figure(rows, headings, title, note, figures), figures, out_pdf, out_png)


def _by_case(table: pd.DataFrame) -> dict[Case, list[dict[str, Any]]]:
    """Rows of SELECTIONS by case, those of a case from the finest map to the coarsest."""
    cases: dict[Case, list[dict[str, Any]]] = {}
    for record in table.sort_values(["cohort", "case_id", "map"], kind="stable").to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        cases.setdefault((str(row["cohort"]), str(row["case_id"])), []).append(row)
    return cases


def _slice(array: NDArray[Any], index: int | None) -> NDArray[Any]:
    return array if index is None else np.asarray(array[index])


def _heading(row: Mapping[str, Any]) -> str:
    return f"{sentence_case(row['map'].replace('-', ' '))}\n{len(row['chosen'])} of {row['locations']:,}"
