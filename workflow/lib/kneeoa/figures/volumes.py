"""Draw example images with the contours of their masks: a column a case from mild to severe, a row
a plane.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.case_images import (
    PLANES,
    CaseArrays,
    Plane,
    examples,
    grades,
    has_pixel_size,
    largest_slice,
    plane_slice,
    slice_spacing,
    spacing,
)
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.tables.shards import MASKS, VOLUMES

FIGURE = {
    "section": "images",
    "title": "Example images",
    "caption": (
        "Canonical images of test knees from mild to severe, cut where the mask is largest, with the mask's contours. Cases are chosen "
        "by grade and name, not by result."
    ),
    "alternative": "Grey-scale knee images in three planes with outlined tissues, one column for each grade.",
    "inputs": ["volumes", "masks", "labels", "splits"],
    "settings": {"tissues": "tissues", "view": "view", "level": "pictured_level"},
    "needs": ["cohorts"],
}

_BAR = 20.0
"""Millimetres of the scale bar."""
_ONE_PLANE = Plane("", 0, ("", "", "", ""))


@dataclass(frozen=True)
class Example:
    """One case to show."""

    title: str
    image: NDArray[np.floating]
    """Canonical image, two or three axes."""
    tissues: dict[str, NDArray[np.bool_]]
    """Each tissue's mask on the image's grid; empty where the case has no usable mask."""
    spacing: tuple[float, ...]
    """Millimetres of a voxel."""
    measured: bool = True
    """Whether the size of pixels is known; radiographs without it have proportions only, and no
    bar.
    """

    @cached_property
    def window(self) -> tuple[float, float]:
        """Grey levels of black and white of the whole image, the same in every plane."""
        return grey_window(self.image)

    @cached_property
    def union(self) -> NDArray[np.bool_] | None:
        """All tissues; None where there is no mask."""
        return np.any(list(self.tissues.values()), axis=0) if self.tissues else None


def figure(shown: Sequence[Example], figures: Figures) -> Figure:
    """Draw the examples: three planes of a volume, each where the mask is largest; one picture of a
    2D image.

    Raises:
        KneeoaError: there is nothing to show.
    """
    if not shown:
        raise KneeoaError("no test case has both a grade and an image; there is no example to draw.")
    planes = PLANES if shown[0].image.ndim == 3 else (_ONE_PLANE,)
    names = sorted({name for example in shown for name in example.tissues})
    colours = style.tissue_colours(names)
    with style.styled(figures):
        width = min(style.FULL_WIDTH, 1.9 * len(shown) + 0.3)
        ratios = [max(_ratio(example, plane) for example in shown) for plane in planes]
        panel = (width - 0.3) / len(shown)
        result = style.new_figure(width, panel * sum(ratios) + 0.85)
        axes = result.subplots(len(planes), len(shown), squeeze=False, height_ratios=ratios)
        for column, example in enumerate(shown):
            for row, plane in enumerate(planes):
                _picture(axes[row, column], example, plane, colours, letters=column == 0)
            axes[0, column].set_title(example.title, loc="center")
        for row, plane in enumerate(planes):
            axes[row, 0].set_ylabel(plane.name)
        handles = [
            Line2D([], [], color=colours[name], linewidth=2, label=sentence_case(display_name(name, figures.labels))) for name in names
        ]
        if handles:
            result.legend(handles=handles, loc="outside upper left", ncols=max(1, int(width / 1.6)), columnspacing=1.4)
        bar = f" Bar: {_BAR:.0f} mm." if shown[0].measured else ""
        style.footnote(result, f"Test cases, the first of each grade shown; left knees are mirrored.{bar}")
    return result


def grey_window(image: NDArray[np.floating]) -> tuple[float, float]:
    """Return the grey levels of black and white: the 1st and 98th percentile of the image (fluid is
    far brighter than the rest).
    """
    low, high = np.percentile(np.asarray(image, dtype=np.float32), (1, 98))
    return float(low), float(high)


def _picture(axis: Axes, example: Example, plane: Plane, colours: Mapping[str, str], *, letters: bool) -> None:
    flat = example.image.ndim == 2
    index = 0 if flat else largest_slice(example.union, example.image.shape, plane.axis)
    black, white = example.window
    pixel = example.spacing if flat else slice_spacing(example.spacing, plane)
    picture = example.image if flat else plane_slice(example.image, plane, index)
    axis.imshow(picture.astype(np.float32), cmap="gray", vmin=black, vmax=white, interpolation="bilinear", aspect=pixel[0] / pixel[1])
    for name, mask in example.tissues.items():
        draw_contour(axis, mask if flat else plane_slice(mask, plane, index), colours[name])
    hide_frame(axis)
    if letters:
        places = (
            (0.02, 0.5, "left", "center"),
            (0.98, 0.5, "right", "center"),
            (0.5, 0.98, "center", "top"),
            (0.5, 0.02, "center", "bottom"),
        )
        for text, (x, y, ha, va) in zip(plane.letters, places, strict=True):
            draw_label(axis, x, y, text, ha=ha, va=va)
    if letters and example.measured:
        length = _BAR / pixel[1] / picture.shape[1]
        line = axis.plot([0.05, 0.05 + length], [0.06, 0.06], color="white", linewidth=2, transform=axis.transAxes, solid_capstyle="butt")
        line[0].set_path_effects([effects.withStroke(linewidth=3, foreground="black")])


def draw_label(axis: Axes, x: float, y: float, text: str, **placing: Any) -> None:
    """Write white letters with a dark rim, at fractions of ``axis``: readable on any grey."""
    rim = [effects.withStroke(linewidth=1.5, foreground="black")]
    axis.text(x, y, text, transform=axis.transAxes, color="white", path_effects=rim, **placing)


def draw_contour(axis: Axes, mask: NDArray[np.bool_], colour: str, width: float = 0.8) -> None:
    """Draw the contour of a picture's mask, half way between its pixels and the others."""
    if mask.any():
        axis.contour(mask.astype(np.float32), levels=[0.5], colors=[colour], linewidths=[width])


def hide_frame(axis: Axes) -> None:
    """Remove ticks and frame."""
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def _ratio(example: Example, plane: Plane) -> float:
    """Height over width of the picture, in millimetres."""
    if example.image.ndim == 2:
        down, across = example.image.shape
        pixel: tuple[float, ...] = example.spacing
    else:
        down, across = plane_slice(np.empty(example.image.shape, dtype=bool), plane, 0).shape
        pixel = slice_spacing(example.spacing, plane)
    return float(down * pixel[0] / (across * pixel[1]))


def split_tissues(mask: NDArray[np.integer], tissues: Collection[str]) -> dict[str, NDArray[np.bool_]]:
    """Return each tissue of a stored mask as a boolean array; values 1.. are the cohort's tissues
    in the order of their sorted names.
    """
    return {name: np.asarray(mask == value) for value, name in enumerate(sorted(tissues), start=1)}


def draw(
    volumes: Sequence[Path],
    masks: Sequence[Path],
    labels: Sequence[Path],
    splits: Sequence[Path],
    tissues: Mapping[str, Collection[str]],
    view: str,
    level: str,
    figures: Figures,
    out_pdf: Path,
    out_png: Path,
) -> None:
    """Draw ``figures.example_cases`` test cases spread over the grades of ``level``.

    Args:
        volumes: lists of the shards of canonical images.
        masks: lists of the shards of aligned masks; may be empty.
        labels: LABELS tables.
        splits: SPLITS tables.
        tissues: for each cohort with masks, its tissues' names.
        view: which kind of image.
        level: the level whose grades are spread, usually the finest.
        figures: the look and the number of cases.
        out_pdf: where the PDF goes.
        out_png: where the PNG goes.

    Raises:
        KneeoaError: a file is not what it should be, or no test case has an image and a grade.
    """
    images = CaseArrays(VOLUMES, *listed_shards(volumes), view)
    outlines = CaseArrays(MASKS, *listed_shards(masks), view)
    shown = []
    for case, grade in examples(grades(labels, splits, level), images.cases(), outlines.cases(), figures.example_cases):
        image = images.array(case)
        split = split_tissues(outlines.array(case), tissues.get(case[0], ())) if case in outlines else {}
        title = f"{display_name(level, figures.labels)} {grade}"
        record = images.record(case)
        shown.append(Example(title, image, split, spacing(record, image.ndim), has_pixel_size(record)))
    style.save(figure(shown, figures), figures, out_pdf, out_png)
