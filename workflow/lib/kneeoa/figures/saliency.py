"""Draw saliency over images: the same knees under every mode of one backbone, and the mean over all
explained knees.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import style
from kneeoa.figures.case_images import PLANES, Case, CaseArrays, examples, grades, largest_slice, slice_spacing, spacing
from kneeoa.figures.volumes import draw_contour, grey_window, hide_frame
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.presentation.arms import MODE, Factors, Panel, display_value, panels
from kneeoa.presentation.display_names import count_noun, display_name
from kneeoa.tables.saliency import SALIENCY
from kneeoa.tables.shards import MASKS, VOLUMES

FIGURE = {
    "section": "anatomy",
    "place": 1,
    "title": "Saliency over anatomy",
    "caption": (
        "SmoothGrad × input for the same knees under each of the arms compared, each map scaled to its own 99.5th percentile for the "
        "eye; measures are taken on the maps as computed. Left: the image alone."
    ),
    "alternative": "Knee images with saliency overlaid and the first group of tissues outlined, one column for each of the arms compared.",
    "inputs": ["maps", "map_indices", "volumes", "masks", "labels", "splits"],
    "settings": {"arms": "arms", "tissues": "tissues", "targets": "targets", "view": "view", "level": "pictured_level", "varied": "varied"},
    "needs": ["saliency"],
    "slow": True,
}

_TOP = 99.5
"""Percentile of a map that is drawn at full strength."""
_CONTOUR = "#33DDFF"


@dataclass(frozen=True)
class Row:
    """One row of pictures: a knee, or the mean of all."""

    title: str
    picture: NDArray[np.floating]
    """Sagittal slice of the image (or the 2D image), ``[rows, columns]``."""
    target: NDArray[np.bool_] | None
    """The tissue's mask on the same slice."""
    maps: dict[str, NDArray[np.floating]]
    """Mode -> the map's slice, on a grid of its own over the same field, 0 none to 1 strong."""
    pixel: tuple[float, float]
    """Millimetres of a pixel, (down, across)."""


def overlay_colours() -> ListedColormap:
    """Return a colour map from clear to opaque yellow: strength changes opacity as well as hue, so
    it survives greyscale.
    """
    steps = np.linspace(0, 1, 256)
    colours = mpl.colormaps["inferno"](0.25 + 0.72 * steps)
    colours[:, 3] = np.clip((steps - 0.12) / 0.6, 0, 1) * 0.85
    return ListedColormap(colours, name="saliency")


def figure(rows: Sequence[Row], columns: Mapping[str, str], title: str, note: str, figures: Figures, outlined: str = "cartilage") -> Figure:
    """Draw the rows; ``columns`` maps each mode to the heading of its column, ``outlined`` is the
    group of tissues whose outlines are drawn.

    Raises:
        KneeoaError: there is no row.
    """
    if not rows:
        raise KneeoaError("no explained test case has an image and a grade; there is no saliency to draw.")
    with style.styled(figures):
        panel = min(1.72, (style.FULL_WIDTH - 0.3) / (len(columns) + 1))
        ratios = [row.picture.shape[0] * row.pixel[0] / (row.picture.shape[1] * row.pixel[1]) for row in rows]
        result = style.new_figure(panel * (len(columns) + 1) + 0.3, panel * sum(ratios) + 1.05)
        result.suptitle(title, x=0.01, ha="left", weight="bold", fontsize=figures.font_size * 1.05)
        axes = result.subplots(len(rows), len(columns) + 1, squeeze=False, height_ratios=ratios)
        for line, row in zip(axes, rows, strict=True):
            line[0].set_ylabel(row.title)
            for axis, mode in zip(line, [None, *columns], strict=True):
                _panel(axis, row, row.maps.get(mode) if mode else None, missing=mode is not None and mode not in row.maps)
        first = f"Image and {outlined}" if any(row.target is not None for row in rows) else "Image"
        for axis, heading in zip(axes[0], [first, *columns.values()], strict=True):
            axis.set_title(heading, loc="center", weight="normal")
        bar = result.colorbar(ScalarMappable(cmap=overlay_colours()), ax=axes, location="bottom", aspect=45, shrink=0.6, pad=0.02)
        bar.set_ticks([0, 1], labels=["none", f"{_TOP:g}th percentile of the map"])
        bar.outline.set_visible(False)
        style.footnote(result, note)
    return result


def _panel(axis: Axes, row: Row, saliency: NDArray[np.floating] | None, *, missing: bool) -> None:
    down, across = row.picture.shape
    black, white = grey_window(row.picture)
    aspect = row.pixel[0] / row.pixel[1]
    extent = (-0.5, across - 0.5, down - 0.5, -0.5)
    axis.imshow(row.picture.astype(np.float32), cmap="gray", vmin=black, vmax=white, interpolation="bilinear", extent=extent, aspect=aspect)
    if saliency is not None:
        axis.imshow(
            saliency.astype(np.float32), cmap=overlay_colours(), vmin=0, vmax=1, interpolation="bilinear", extent=extent, aspect=aspect
        )
    if row.target is not None:
        draw_contour(axis, row.target, _CONTOUR, 0.6)
    if missing:
        axis.text(0.5, 0.5, "no map", transform=axis.transAxes, ha="center", va="center", color="white")
    hide_frame(axis)


def scaled_to_percentile(stored: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scale positive saliency so that the map's 99.5th percentile is 1, for display only: measures
    are taken on the map as it is.
    """
    positive = np.clip(np.asarray(stored, dtype=np.float32), 0, None)
    top = float(np.percentile(positive, _TOP)) or float(positive.max())
    return np.clip(positive / top, 0, 1) if top > 0 else positive


def _slice(array: NDArray[Any], index: int, length: int) -> NDArray[Any]:
    """Slice ``index`` of ``length`` of an array that may have a coarser grid over the same field of
    view.
    """
    return array if array.ndim == 2 else np.asarray(array[min(int((index + 0.5) * array.shape[0] / length), array.shape[0] - 1)])


class _Pictures:
    """Read the images, masks and maps of one panel of arms, and make the rows of the figure from
    them.
    """

    def __init__(
        self, panel: Panel, maps: Mapping[str, CaseArrays], images: CaseArrays, masks: CaseArrays, values: Mapping[str, list[int]]
    ) -> None:
        self.panel, self.maps, self.images, self.masks, self.values = panel, maps, images, masks, values

    def target(self, case: Case, slices: tuple[int, int] | None = None) -> NDArray[np.bool_] | None:
        """The tissue's mask, of all slices or of the one at an index of a length: reading whole
        masks of a thousand knees would take minutes.
        """
        if case not in self.masks:
            return None
        mask = self.masks.array(case)
        return np.isin(mask if slices is None else _slice(mask, *slices), self.values.get(case[0], []))

    def index(self, case: Case) -> int:
        return largest_slice(self.target(case), self.images.array(case).shape, 0)

    def row(self, case: Case, title: str, index: int) -> Row:
        image = self.images.array(case)
        length = image.shape[0]
        maps = {
            mode: _slice(scaled_to_percentile(stack.array(case)[0]), index, length) for mode, stack in self.maps.items() if case in stack
        }
        millimetres = spacing(self.images.record(case), image.ndim)
        pixel = slice_spacing(millimetres, PLANES[0]) if image.ndim == 3 else (millimetres[0], millimetres[1])
        return Row(title, _slice(image, index, length), self.target(case, (index, length)), maps, pixel)

    def mean(self, cases: Sequence[Case], index: int) -> Row | None:
        """The mean over the cases of one field of view, all at one slice; None for fewer than
        two.
        """
        rows = [self.row(case, "", index) for case in cases]
        rows = [row for row in rows if row.picture.shape == rows[0].picture.shape and len(row.maps) == len(self.maps)]
        if len(rows) < 2:
            return None
        targets = [row.target for row in rows if row.target is not None]
        maps = {mode: np.mean([row.maps[mode] for row in rows], axis=0) for mode in self.maps}
        maps = {mode: value / max(float(value.max()), np.finfo(np.float32).tiny) for mode, value in maps.items()}
        picture = np.mean([row.picture.astype(np.float32) for row in rows], axis=0)
        target = np.mean(targets, axis=0) >= 0.5 if targets else None
        return Row(f"Mean of {count_noun(len(rows), 'knee')}", picture, target, maps, rows[0].pixel)


def draw(
    maps: Sequence[Path],
    map_indices: Sequence[Path],
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
    backbone: str | None = None,
    varied: Sequence[str] = MODE,
) -> None:
    """Draw one backbone's saliency over the canonical images, for the same test cases in every
    mode, with the lowest seed of each arm.

    Args:
        maps: saliency arrays of any runs by one method, ``[rows, 2, *coarse shape]``, over the
            images' field of view; the evidence for the score is shown.
        map_indices: the SALIENCY table of each.
        volumes: lists of the shards of canonical images.
        masks: lists of the shards of aligned masks; may be empty.
        labels: LABELS tables.
        splits: SPLITS tables.
        arms: the arms table.
        tissues: for each cohort with masks, its tissues' names.
        targets: groups of tissues; the first group is outlined.
        view: which kind of image.
        level: the level whose grades the examples spread over.
        figures: the look and the number of examples.
        out_pdf: where the PDF goes.
        out_png: where the PNG goes.
        backbone: whose arms to show; default the first that was explained.
        varied: the factor that figures tell arms apart by, then those that follow it.

    Raises:
        KneeoaError: a file is not what it should be, or no arm of the backbone was explained.
    """
    runs: dict[str, tuple[int, Path, Path]] = {}
    heads: dict[str, str] = {}
    for array, index in zip(maps, map_indices, strict=True):
        table = SALIENCY.read(index)
        for arm, seed in table[["arm", "seed"]].drop_duplicates().itertuples(index=False):
            if arm not in runs or seed < runs[arm][0]:
                runs[arm] = (int(seed), array, index)
                heads[arm] = str(table["target"].iloc[0])
    explained_panels = [
        panel
        for panel in panels(arms, figures.labels, varied)
        if set(panel.arms.values()) & set(runs) and backbone in (None, panel.backbone)
    ]
    if not explained_panels:
        raise KneeoaError(f"no saliency map is of an arm of the backbone '{backbone or 'any'}'; the arms explained are {sorted(runs)}.")
    panel = explained_panels[0]
    shown = {mode: arm for mode, arm in panel.arms.items() if arm in runs}
    stacks = {mode: CaseArrays(SALIENCY, [runs[arm][1]], [runs[arm][2]], view) for mode, arm in shown.items()}
    images, outlines = CaseArrays(VOLUMES, *listed_shards(volumes), view), CaseArrays(MASKS, *listed_shards(masks), view)
    wanted = next(iter(targets.values()), ())
    values = {
        cohort: [value for value, name in enumerate(sorted(names), 1) if name in wanted or not targets] for cohort, names in tissues.items()
    }
    pictures = _Pictures(panel, stacks, images, outlines, values)
    explained = [case for case in images.cases() if all(case in stack for stack in stacks.values())]
    chosen = examples(grades(labels, splits, level), explained, outlines.cases(), figures.example_cases)
    rows = [pictures.row(case, f"{display_name(level, figures.labels)} {grade}", pictures.index(case)) for case, grade in chosen]
    if chosen:
        middle = int(np.median([pictures.index(case) for case, _ in chosen]))
        mean = pictures.mean(explained, middle)
        rows += [mean] if mean is not None else []
    seeds = sorted({runs[arm][0] for arm in shown.values()})
    columns = {
        mode: f"{display_value(varied[0], mode, figures.labels)}\n{_target(heads[arm], figures.labels)}" for mode, arm in shown.items()
    }
    group = display_name(next(iter(targets), "cartilage"), figures.labels)
    flat = bool(chosen) and images.array(chosen[0][0]).ndim == 2
    view_note = "Left knees are mirrored." if flat else f"Sagittal slices through most {group} (outlined)."
    note = f"{view_note} Seed {', '.join(map(str, seeds))}. The mean is scaled to its own maximum."
    style.save(figure(rows, columns, panel.title, note, figures, group), figures, out_pdf, out_png)


def _target(target: str, labels: Mapping[str, str]) -> str:
    """Print the level explained, the class of it where one is named (``kl.severe``), and the head
    that it was read from where that is another one (``oa<-kl``).
    """
    named, _, head = target.partition("<-")
    what = " ".join(display_name(part, labels) for part in named.split(".", 1))
    return f"explains {what}" + (f", read from {display_name(head, labels)}" if head else "")
