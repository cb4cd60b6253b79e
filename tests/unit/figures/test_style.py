import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from kneeoa.config.analysis import Figures
from kneeoa.figures import style

LIBRARY = Path(style.__file__).parents[2]


def lightness(colour: str) -> float:
    red, green, blue = mpl.colors.to_rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_modes_differ_in_grey_in_marker_and_in_dash():
    looks = style.looks(["single_oa", "single_kl", "dual", "dual_stacked"], Figures())
    greys = sorted(lightness(look.colour) for look in looks.values())
    assert min(np.diff(greys)) > 0.08
    assert len({look.marker for look in looks.values()}) == len({str(look.dash) for look in looks.values()}) == 4


def test_a_mode_looks_the_same_whatever_else_is_drawn_and_the_study_may_choose_its_colour():
    alone, together = style.looks(["dual"], Figures()), style.looks(["single_kl", "flat", "dual"], Figures())
    assert alone["dual"] == together["dual"]
    assert style.looks(["dual"], Figures(palette={"dual": "#123456"}))["dual"].colour == "#123456"
    assert together["flat"].colour not in {together["dual"].colour, together["single_kl"].colour}


def test_grades_are_ordered_in_lightness():
    greys = [lightness(colour) for colour in style.grade_colours(5)]
    assert greys == sorted(greys, reverse=True)


def test_drawing_leaves_the_users_settings_alone():
    before = dict(mpl.rcParams)
    with style.styled(Figures(font_size=5)):
        assert mpl.rcParams["font.size"] == 5
    assert dict(mpl.rcParams) == before


SCRIPT = """
import sys
from pathlib import Path
from kneeoa.config.analysis import Figures
from kneeoa.figures import style
look = Figures(dpi=40)
with style.styled(look):
    figure = style.new_figure(2, 1)
    figure.subplots().plot([0, 1], label="Dual, ρ −0.5")
    figure.axes[0].legend()
    style.footnote(figure, "note")
style.save(figure, look, Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_equal_figures_are_equal_bytes_in_every_process(tmp_path):
    here, there = ([tmp_path / f"{place}.{suffix}" for suffix in ("pdf", "png")] for place in ("here", "there"))
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(LIBRARY)}
    subprocess.run([sys.executable, "-c", SCRIPT, *map(str, there)], check=True, env=environment)
    look = Figures(dpi=40)
    with style.styled(look):
        figure = style.new_figure(2, 1)
        figure.subplots().plot([0, 1], label="Dual, ρ −0.5")
        figure.axes[0].legend()
        style.footnote(figure, "note")
    style.save(figure, look, *here)
    pdf, png = (path.read_bytes() for path in here)
    assert (pdf, png) == tuple(path.read_bytes() for path in there)
    assert b"CreationDate" not in pdf
    assert b"Software" not in png
    assert b"/Type3" not in pdf


@pytest.mark.parametrize("dpi", [40, 60, 80, 100, 300])
@pytest.mark.parametrize("width", [1.9, 3.74, style.FULL_WIDTH])
def test_a_note_is_not_wider_than_the_figure_at_any_resolution(tmp_path, width, dpi):
    look = Figures(dpi=dpi)
    with style.styled(look):
        figure = style.new_figure(width, 2)
        figure.subplots()
        style.footnote(figure, "Maps of the target grade, of the seed that is drawn; illiterate millilitres fill minimal filigree. " * 3)
    style.save(figure, look, tmp_path / "figure.pdf", tmp_path / "figure.png")
    image = np.asarray(Image.open(tmp_path / "figure.png").convert("L"))
    assert (image[:, -1] > 250).all()
    assert "\n" in figure.get_supxlabel()


def test_notes_wrap_to_the_figure():
    with style.styled(Figures()):
        figure = style.new_figure(2, 1)
        style.footnote(figure, "a rather long note that cannot stand on one line of two inches\nsecond")
    lines = figure.get_supxlabel().split("\n")
    assert lines[-1] == "second"
    assert len(lines) > 2
    assert max(style.text_width(line, 8 * 0.85) for line in lines) < 2
