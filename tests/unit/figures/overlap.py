"""Do letters of a drawn figure run into each other or off the page?"""

from __future__ import annotations

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from kneeoa.config.analysis import Figures
from kneeoa.figures import style


def clashes(figure: Figure) -> list[str]:
    """Pairs of texts whose boxes overlap by more than a pixel each way, and texts that leave the
    page, once it is laid out.
    """
    canvas = FigureCanvasAgg(figure)
    if figure.get_layout_engine() is not None:
        style.fix_layout(figure, Figures())
    with style.styled(Figures()):
        canvas.draw()
    renderer = canvas.get_renderer()
    hidden = {
        label
        for axes in figure.axes
        for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim())))
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not (low <= tick.get_loc() <= high and label.get_visible() and axes.axison)
    }
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip() and text not in hidden]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    page = figure.bbox
    listed = [
        f"'{text}' leaves the page"
        for text, box in boxes
        if box.x0 < page.x0 - 1 or box.x1 > page.x1 + 1 or box.y0 < page.y0 - 1 or box.y1 > page.y1 + 1
    ]
    for (one, a), (other, b) in combinations(boxes, 2):
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1:
            listed.append(f"'{one}' runs into '{other}'")
    return listed
