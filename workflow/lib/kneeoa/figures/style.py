"""Style shared by all figures: type, colours of modes, line styles that survive greyscale print,
layout and saving.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count, zip_longest
from math import ceil
from pathlib import Path
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.transforms import ScaledTranslation

from kneeoa.atomic_io import atomic_path
from kneeoa.config.analysis import Figures

_Item = TypeVar("_Item")

FULL_WIDTH = 7.1
"""Inches: two columns of a journal page (180 mm)."""

ABREAST = 3
"""Most panels beside each other on the full width whose legends, a number and its interval a line,
fit under them.
"""

NOTE_SIZE = 0.85
"""Size of a note's letters, in that of the figure's."""

_SUBTITLE_PAD = 14.0
"""Points that a title leaves for the muted line of :func:`heading`."""

INK = "#222222"
MUTED = "#6b6b6b"
RULE = "#d0d0d0"

# Paul Tol's high-contrast scheme (technical note SRON/EPS/TN/09-002): its three hues stay apart for
# every kind of colour blindness and in greyscale; the rest continues with his medium-contrast
# scheme.
_DASH, _DASH_DOT, _DOT = (0, (5, 1.6)), (0, (5, 1.4, 1, 1.4)), (0, (1.2, 1.2))
_SPARE = ("#000000", "#997700", "#994455", "#EE99AA", "#777777", "#EECC66")
_SPARE_MARKERS = ("v", "P", "X", "h", "<", ">")
_SPARE_DASHES: tuple[Any, ...] = ((0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 2, 1, 2)), (0, (2, 2)))
_TISSUES = ("#33BBEE", "#EE7733", "#CCDDAA", "#EE3377", "#BBBBBB", "#009988", "#FFFFFF")


@dataclass(frozen=True)
class Look:
    """Colour, marker and line style of one mode, in every figure of a study."""

    colour: str
    marker: str
    dash: Any


_MODES = {
    "single_oa": Look("#DDAA33", "s", _DASH),
    "single_kl": Look("#BB5566", "^", _DASH_DOT),
    "dual": Look("#004488", "o", "-"),
    "dual_stacked": Look("#6699CC", "D", _DOT),
}


def looks(modes: Sequence[str], figures: Figures) -> dict[str, Look]:
    """Return a look for each mode; the same modes in the same order get the same looks in every
    figure.

    Colours come from ``figures.palette``, else from the default palette; a mode that neither knows
    takes the next spare colour.
    """
    spare, result = count(), {}
    for mode in modes:
        look = _MODES.get(mode)
        if look is None:
            number = next(spare)
            cycle = (_SPARE, _SPARE_MARKERS, _SPARE_DASHES)
            look = Look(*(members[number % len(members)] for members in cycle))
        result[mode] = replace(look, colour=figures.palette.get(mode, look.colour))
    return result


def tissue_colours(names: Sequence[str]) -> dict[str, str]:
    """Return a bright colour for each tissue, to be drawn on a grey image."""
    return {name: _TISSUES[index % len(_TISSUES)] for index, name in enumerate(names)}


def grade_colours(count: int) -> list[tuple[float, float, float, float]]:
    """Return ``count`` colours from none to severe, ordered in lightness, so that they stay in
    order in greyscale.
    """
    ramp = mpl.colormaps["plasma_r"]
    return [ramp(0.12 + 0.78 * index / max(count - 1, 1)) for index in range(count)]


@contextmanager
def styled(figures: Figures) -> Iterator[None]:
    """Draw with the project's settings, whatever the user's own matplotlibrc says."""
    size = figures.font_size
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs on every machine
                "font.size": size,
                "figure.dpi": figures.dpi,
                "axes.titlesize": size,
                "axes.titlelocation": "left",
                "axes.titleweight": "bold",
                "axes.labelsize": size,
                "axes.edgecolor": MUTED,
                "axes.labelcolor": INK,
                "axes.linewidth": 0.6,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.unicode_minus": True,
                "xtick.labelsize": size * 0.9,
                "ytick.labelsize": size * 0.9,
                "xtick.color": MUTED,
                "ytick.color": MUTED,
                "xtick.labelcolor": INK,
                "ytick.labelcolor": INK,
                "xtick.major.width": 0.6,
                "ytick.major.width": 0.6,
                "xtick.major.size": 2.5,
                "ytick.major.size": 2.5,
                "text.color": INK,
                "legend.fontsize": size * 0.9,
                "legend.frameon": False,
                "legend.handlelength": 2.4,
                "lines.linewidth": 1.3,
                "lines.markersize": 4,
                "figure.constrained_layout.h_pad": 0.04,
                "figure.constrained_layout.w_pad": 0.04,
                "pdf.fonttype": 42,  # editable text, and no Type 3 fonts, which journals refuse
                "image.interpolation": "nearest",
            }
        )
        yield


def new_figure(width: float, height: float) -> Figure:
    """Make a white figure of ``width`` by ``height`` inches, apart from pyplot's global state. Call
    inside :func:`styled`.
    """
    return Figure(figsize=(width, height), facecolor="white", layout="constrained")


def grid(panels: int, most: int) -> tuple[int, int]:
    """Return the rows and columns for ``panels`` panels with at most ``most`` beside each other: as
    few rows as possible, evenly filled.
    """
    rows = ceil(panels / most)
    return rows, ceil(panels / rows)


def axes_of_panels(axes: Iterable[Axes], items: Sequence[_Item]) -> Iterator[tuple[Axes, _Item]]:
    """Yield each item with the next of ``axes``; axes that are left at the end are removed from the
    figure.
    """
    for axis, item in zip_longest(axes, items):
        if item is None:
            axis.remove()
        else:
            yield axis, item


def draw_legend_below(axes: Axes, drop: float, handles: Sequence[Artist], **looks: Any) -> None:
    """Draw a legend under a panel, ``drop`` inches below its lower edge, whatever the panel's size:
    ticks and the axis' label come between.
    """
    below = axes.transAxes + ScaledTranslation(0, -drop, axes.figure.dpi_scale_trans)
    legend = axes.legend(handles=handles, loc="upper center", borderaxespad=0, labelspacing=0.35, **looks)
    legend.set_bbox_to_anchor((0.46, 0), below)


def draw_legend_above(figure: Figure, handles: Sequence[Artist], **looks: Any) -> None:
    """Draw a legend above all panels, in as many columns as the figure's width has room for."""
    FigureCanvasAgg(figure)  # measures text without drawing the figure
    for columns in range(len(handles), 0, -1):
        legend = figure.legend(handles=handles, loc="outside upper left", ncols=columns, **looks)
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def fix_layout(figure: Figure, figures: Figures) -> None:
    """Compute the figure's layout at the resolution of print and keep it, so that every format has
    the same one.

    Twice, since the first pass changes the room of the panels, and ticks and the width of their
    labels follow from that.
    """
    figure.set_dpi(figures.dpi)
    FigureCanvasAgg(figure)  # measures text without drawing the figure
    with styled(figures):
        for _ in range(2):
            if (engine := figure.get_layout_engine()) is not None:
                engine.execute(figure)
        figure.set_layout_engine(None)


def save(figure: Figure, figures: Figures, out_pdf: Path, out_png: Path) -> None:
    """Write a vector PDF and a PNG, atomically and without time stamps: equal figures are equal
    bytes. One layout serves both.
    """
    unstamped = {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None}
    fix_layout(figure, figures)
    with styled(figures):
        with atomic_path(out_pdf) as temporary:
            figure.savefig(temporary, format="pdf", dpi=figures.dpi, metadata=unstamped)
        with atomic_path(out_png) as temporary:
            figure.savefig(temporary, format="png", dpi=figures.dpi, metadata={"Software": None})


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return the width of a line of text in ``size`` points, in inches; measured on its outlines,
    so no canvas is needed.
    """
    if not text.strip():
        return 0.0
    prop = FontProperties(family=mpl.rcParams["font.family"], weight=weight)
    return float(np.ptp(TextPath((0, 0), text, size=size, prop=prop).vertices[:, 0])) / 72


def headings(titles: Sequence[tuple[str, str]], muted: Sequence[tuple[str, str]], room: float) -> list[tuple[str, str]]:
    """Return the title and the muted line of each panel for :func:`heading`, from two parts of
    each, any of which may be empty.

    Parts stand on one line where those of all panels fit into ``room`` (inches), else each begins a
    line, and breaks where it is wider than that. Call inside :func:`styled`.
    """
    size = mpl.rcParams["font.size"] * 0.85
    return list(
        zip(
            _on_one_line_or_more(titles, room, mpl.rcParams["axes.titlesize"], "bold"),
            _on_one_line_or_more(muted, room, size, "normal"),
            strict=True,
        )
    )


def _on_one_line_or_more(parts: Sequence[tuple[str, str]], room: float, size: float, weight: str) -> list[str]:
    filled = [[part for part in pair if part] for pair in parts]
    if all(text_width(", ".join(pair), size, weight) <= room for pair in filled):
        return [", ".join(pair) for pair in filled]
    return [",\n".join(_break_lines(part, room, size, weight) for part in pair) for pair in filled]


def wrap_title(text: str, room: float = FULL_WIDTH / ABREAST - 0.25) -> str:
    """Break a panel's title where it is wider than ``room`` inches: behind commas, and what is
    wider still behind the plus signs of an ensemble. Call inside :func:`styled`.
    """
    return _break_lines(text, room, mpl.rcParams["axes.titlesize"], "bold")


def _break_lines(text: str, room: float, size: float, weight: str) -> str:
    def fits(line: str) -> bool:
        return text_width(line, size, weight) <= room

    lines = [""]
    for part in text.split(", "):
        longer = f"{lines[-1]}, {part}" if lines[-1] else part
        if fits(longer):
            lines[-1] = longer
            continue
        if lines[-1]:
            lines[-1] += ","
            lines.append("")
        for member in re.split(r"(?<=\+)", part):
            if lines[-1] and not fits(lines[-1] + member):
                lines.append("")
            lines[-1] += member
    return "\n".join(lines)


def footnote(figure: Figure, text: str) -> None:
    """Write small muted lines under the figure, wrapped to its width. Call inside
    :func:`styled`.
    """
    size = mpl.rcParams["font.size"] * NOTE_SIZE
    figure.supxlabel(wrap_note(text, figure.get_figwidth()), fontsize=size, color=MUTED, x=0.01, ha="left", multialignment="left")


def wrap_note(text: str, width: float) -> str:
    """Break a note into lines for a figure of ``width`` inches: by their outlines, and by their
    pixels, as letters are wider where pixels are few. Call inside :func:`styled`.
    """
    size, page = mpl.rcParams["font.size"] * NOTE_SIZE, Figure(figsize=(width, 1))
    FigureCanvasAgg(page)  # measures text without drawing the figure
    drawn = page.text(0, 0, "", fontsize=size)

    def fits(line: str) -> bool:
        drawn.set_text(line)
        return text_width(line, size) <= 0.97 * width and drawn.get_window_extent().width <= 0.98 * width * page.dpi

    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and not fits(longer):
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return "\n".join(lines)


def heading(axes: Axes, title: str, muted: str) -> None:
    """Write a panel's title, and a muted line or two between it and the panel, which never widen
    the panel.
    """
    size, lines = mpl.rcParams["font.size"] * 0.85, muted.count("\n") + 1
    axes.set_title(title, pad=_SUBTITLE_PAD + 1.2 * size * (lines - 1))
    line = axes.annotate(muted, (0, 1), xytext=(0, 3), xycoords="axes fraction", textcoords="offset points", fontsize=size, color=MUTED)
    line.set_in_layout(False)


def blank_panel(axes: Axes, text: str) -> None:
    """Turn ``axes`` into a blank panel with a text."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=MUTED, style="italic")
