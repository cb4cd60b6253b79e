"""Draw pages of pictures for quality control of a cohort: a hundred cases a page, worst first, each
in three planes with its mask's outline and its flags.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kneeoa.atomic_io import atomic_path
from kneeoa.config.analysis import Figures
from kneeoa.figures import style
from kneeoa.figures.case_images import CaseArrays, spacing
from kneeoa.figures.thumbnails import SIZE, Colour, thumbnails
from kneeoa.masks.quality_ranking import PER_PAGE, SHIFTED, rank_quality
from kneeoa.presentation.display_names import count_noun, display_name, sentence_case
from kneeoa.tables.shards import MASKS, QUALITY, SHIFTS, VOLUMES

_LOG = logging.getLogger(__name__)

_DPI = 160
_GAP, _LABEL, _LINE, _HEAD, _QUESTION = 12, 30, 19, 90, 24
_FLAGGED, _REPAIRED = "#CC3311", "#EE7733"
_BARE = {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None}


def draw(
    *,
    volume_arrays: Sequence[Path],
    volume_indices: Sequence[Path],
    mask_arrays: Sequence[Path],
    mask_indices: Sequence[Path],
    cartilage: Sequence[Path],
    exclusions: Sequence[Path],
    tissues: Collection[str],
    cohort: str,
    view: str,
    cases: int | None,
    figures: Figures,
    out_table: Path,
    out_pdf: Path,
    out_png: Path,
) -> None:
    """Write QUALITY of one cohort and view, its pages as one PDF, and the first page as PNG.

    One page and one case are in memory at a time; arrays are read through memory maps, three planes
    of an image each.

    Args:
        volume_arrays: arrays of canonical images; ``volume_indices[i]`` is the VOLUMES table of the
            i-th.
        volume_indices: see above.
        mask_arrays: arrays of aligned masks; may be empty.
        mask_indices: the MASKS table of each.
        cartilage: the CARTILAGE table of each.
        exclusions: EXCLUSIONS of the stages volumes and masks.
        tissues: names of the cohort's tissues.
        cohort: its name.
        view: which kind of image.
        cases: how many cases get a picture; None: all.
        figures: the look.
        out_table: where QUALITY goes.
        out_pdf: where the pages go.
        out_png: where the first page goes.

    Raises:
        KneeoaError: a file is not what it should be.
    """
    table = rank_quality(volume_indices, mask_indices, cartilage, exclusions, view, cases)
    QUALITY.write(out_table, table)
    images = CaseArrays(VOLUMES, volume_arrays, volume_indices, view)
    masks = CaseArrays(MASKS, mask_arrays, mask_indices, view, doubted=True)
    shown = table[table["page"].notna()]
    # Checks and studies are about cartilage; bone is drawn only where a mask has nothing else.
    names = [name for name in sorted(tissues) if "cartilage" in name] or sorted(tissues)
    colours = style.tissue_colours(names)
    values = {value: _pixels(colours[name]) for value, name in enumerate(sorted(tissues), start=1) if name in colours}
    pages = max(1, int(shown["page"].max()) if len(shown) else 1)
    title = f"{display_name(cohort, figures.labels)}, {view}: {_summary(table)}"
    questions = _questions(table, cohort)
    for question in questions:
        _LOG.warning("%s, %s: %s", cohort, view, question)
    with style.styled(figures), atomic_path(out_pdf) as temporary, PdfPages(temporary, metadata=_BARE) as pdf:
        for page in range(1, pages + 1):
            page_rows = shown[shown["page"] == page].to_dict("records")
            page_rows.sort(key=lambda row: pd.isna(row["orientation"]))  # the question is about the first picture
            page_questions = questions if page == 1 else []
            drawn = _page(
                _cells(page_rows, images, masks, values), f"{title} \N{EM DASH} page {page} of {pages}", colours, figures, page_questions
            )
            pdf.savefig(drawn, dpi=_DPI)
            if page == 1:
                with atomic_path(out_png) as picture:
                    drawn.savefig(picture, format="png", dpi=_DPI, metadata={"Software": None})


def _summary(table: pd.DataFrame) -> str:
    flagged, absent = int(table["flagged"].sum()), int((~table["has_image"]).sum())
    parts = [count_noun(len(table), "case"), f"{flagged} flagged", f"{absent} without an image"]
    repaired = int(table["repair"].notna().sum())
    parts += [f"{repaired} with a repaired mask"] if repaired else []
    offsets = table.loc[table["mask_usable"].eq(True), "offset_mm"].astype(float)
    if len(offsets):
        low, middle, high = offsets.quantile([0.05, 0.5, 0.95])
        parts.append(f"edges {middle:.2f} mm from masks ({low:.2f} to {high:.2f})")
    return ", ".join([*parts, f"{int(table['page'].notna().sum())} shown"])


def _questions(table: pd.DataFrame, cohort: str) -> list[str]:
    """Questions for a person to answer first, a line each: whether a declared orientation is right,
    and why most of the masks are shifted. Empty where every header has its own orientation and
    masks lie on edges.
    """
    lines = []
    declared = table["orientation"].dropna()
    if not declared.empty:
        lines.append(
            f"The orientation of {count_noun(len(declared), 'case')} is not the files': the configuration declares {declared.iloc[0]}. "
            f"In the first picture, is the patella at the left and the femur above,"
        )
        lines.append(f"and in its second plane the fibula at the left? If not, mend 'cohorts.{cohort}.orientation'.")
    believed = table[table["mask_usable"].eq(True)]
    beside = int(believed["flags"].map(lambda flags: SHIFTED in flags).sum())
    if 2 * beside > len(believed):
        along = ", ".join(f"{believed[name].abs().median():.1f}" for name in SHIFTS)
        lines.append(
            f"{beside} of {count_noun(len(believed), 'mask')} lie about a voxel beside the edges that they outline "
            f"(medians along slices, rows, columns: {along} mm): did a conversion lose a slice, or half a voxel?"
        )
    return lines


Cell = tuple[dict[str, Any], list[np.ndarray[Any, np.dtype[np.uint8]]]]


def _cells(rows: Sequence[dict[Any, Any]], images: CaseArrays, masks: CaseArrays, values: Mapping[int, Colour]) -> Iterator[Cell]:
    for row in rows:
        case = (str(row["cohort"]), str(row["case_id"]))
        image = images.array(case)
        mask = masks.array(case) if case in masks else None
        yield {str(name): value for name, value in row.items()}, thumbnails(image, mask, spacing(images.record(case), image.ndim), values)


def _page(cells: Iterator[Cell], title: str, colours: Mapping[str, str], figures: Figures, questions: Sequence[str]) -> Figure:
    """Draw one page; all of its pictures are one image, which is much faster than a panel each."""
    pictures = list(cells)
    planes = len(pictures[0][1]) if pictures else 3
    columns = 5 if planes == 3 else 10
    flat = planes == 1  # so narrow that the caption has a line of its own
    wide, tall = planes * SIZE + _GAP, SIZE + _LABEL + (_LINE if flat else 0)
    rows = PER_PAGE // columns if len(pictures) > PER_PAGE // 2 else max(1, -(-len(pictures) // columns))
    head = _HEAD + _QUESTION * len(questions)
    width, height = columns * wide + _GAP, rows * tall + head
    canvas = np.full((height, width, 3), 255, dtype=np.uint8)
    page = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="white")
    page.set_layout_engine("none")  # places are pixels
    axis = page.add_axes((0, 0, 1, 1))
    size = 15 * 72 / _DPI
    for place, (row, drawn) in enumerate(pictures):
        left, top = _GAP + place % columns * wide, head + place // columns * tall
        for number, picture in enumerate(drawn):
            canvas[top : top + SIZE, left + number * SIZE : left + (number + 1) * SIZE] = picture
        colour = (_REPAIRED if pd.notna(row["repair"]) else _FLAGGED) if row["flagged"] else None
        if colour is not None:
            axis.add_patch(Rectangle((left - 2, top - 2), planes * SIZE + 3, SIZE + 3, fill=False, edgecolor=colour, linewidth=1.5))
        axis.text(left, top + SIZE + 4, row["case_id"], fontsize=size, va="top", ha="left", color=style.INK)
        caption, shade = _caption(row), colour or style.MUTED
        if flat:
            axis.text(left, top + SIZE + 4 + _LINE, _shortened(caption, SIZE, size), fontsize=size, va="top", ha="left", color=shade)
        else:
            axis.text(left + planes * SIZE, top + SIZE + 4, caption, fontsize=size, va="top", ha="right", color=shade, clip_on=True)
    axis.imshow(canvas, interpolation="none", extent=(0, width, height, 0), aspect="auto", zorder=-1)
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.set_axis_off()
    room = (width - 2 * _GAP) / _DPI / max(style.text_width(title, 1.5 * size, "bold"), 1e-9)
    axis.text(_GAP, 14, title, fontsize=1.5 * size * min(1.0, room), va="top", weight="bold", color=style.INK)
    for number, question in enumerate(questions):
        axis.text(_GAP, _HEAD - 6 + number * _QUESTION, question, fontsize=1.15 * size, va="top", weight="bold", color=_FLAGGED)
    legend = "Left knees are shown as right ones. " if planes == 3 else ""
    left_edge = _GAP + _line(axis, _GAP, legend + ("Outlines: " if colours else ""), size)
    for name, shade in colours.items():
        axis.add_patch(Rectangle((left_edge, 58), 14, 14, facecolor=shade, edgecolor=style.MUTED, linewidth=0.4))
        left_edge += 20 + _line(axis, left_edge + 20, f"{sentence_case(display_name(name, figures.labels))}  ", size) + 10
    return page


def _line(axis: Axes, left: float, text: str, size: float) -> float:
    """Write a line of the page's second heading and return its width in pixels."""
    axis.text(left, 56, text, fontsize=1.15 * size, va="top", color=style.MUTED)
    return style.text_width(text, 1.15 * size) * _DPI + 8


def _shortened(text: str, pixels: int, size: float) -> str:
    """As much of a text as ``pixels`` hold, with dots for the rest."""
    if style.text_width(text, size) * _DPI <= pixels:
        return text
    while text and style.text_width(f"{text}...", size) * _DPI > pixels:
        text = text[:-1]
    return f"{text.rstrip(' ,')}..."


def _caption(row: Mapping[str, Any]) -> str:
    """Text under a picture at its right: the flags, and how well the mask fits."""
    flags = [flag.removeprefix("mask-").replace("-", " ") for flag in row["flags"]]
    if pd.notna(row["repair"]):
        flags = [f"repaired: {row['repair']}" if flag == "repaired" else flag for flag in flags]
    if pd.notna(row["orientation"]):
        flags.append(f"declared {row['orientation']}")
    if pd.notna(row["boundary"]):
        flags.append(f"{row['boundary']:.0%} on edges")
    elif not flags and not row["has_mask"]:
        flags.append("no mask")
    return ", ".join(flags)


def _pixels(colour: str) -> Colour:
    red, green, blue = (round(255 * part) for part in to_rgb(colour))
    return red, green, blue
