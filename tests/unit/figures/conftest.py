"""Every figure that a test saves must stay on its page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.figures import style
from tests.unit.figures.overlap import clashes


@pytest.fixture(autouse=True)
def _nothing_leaves_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., None] = style.save

    def save(figure: Figure, figures: Figures, out_pdf: Path, out_png: Path) -> None:
        real(figure, figures, out_pdf, out_png)
        assert [clash for clash in clashes(figure) if "leaves the page" in clash] == []

    monkeypatch.setattr(style, "save", save)
