import json

import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import flow
from kneeoa.presentation.cohort_flow import read_flow
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes

LEVELS = {"oa": ("no", "yes"), "kl": tuple("01234")}


def test_boxes_say_what_was_found_excluded_and_analysed(tmp_path):
    account = read_flow(synthetic.flow(tmp_path))
    figure = flow.figure([account, read_flow(synthetic.flow(tmp_path, "clinic", excluded=False))], Figures(), LEVELS)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"266 knees of 210 subjects", "260 knees of 208 subjects", "Excluded: 6 knees", "    slice gap: 2", "Excluded: none"} <= set(
        texts
    )
    assert [text for text in texts if text in ("Training", "Validation", "Test")] == ["Training", "Validation", "Test", "Test"]
    assert clashes(figure) == []


def test_classes_stand_in_their_own_order_and_long_ones_wrap():
    counts = {"cases": 9, "subjects": 9, "levels": {"kl": {"mild": 2, "none": 1, "severe and very much worn": 6}}}
    lines = flow.split_lines("test", counts, {"kl": ("none", "mild", "severe and very much worn")}, {})
    text = " ".join(lines[2:]).replace("\N{NO-BREAK SPACE}", " ")
    assert text.index("none: 1") < text.index("mild: 2") < text.index("worn: 6")
    assert len(lines) > 3


def test_class_names_do_not_repeat_their_level():
    counts = {"cases": 3, "subjects": 3, "levels": {"oa": {"no OA": 1, "OA": 2}, "kl": {"KL 0": 1, "KL 1": 2}}}
    lines = flow.split_lines("val", counts, {"oa": ("no OA", "OA"), "kl": ("KL 0", "KL 1")}, {})
    assert [line.replace("\N{NO-BREAK SPACE}", " ").replace("\N{EM SPACE}", " ") for line in lines[2:]] == [
        "no OA: 1, OA: 2",
        "KL 0: 1, 1: 2",
    ]


def test_a_file_that_is_no_account_is_said(tmp_path):
    path = tmp_path / "x.flow.json"
    path.write_text(json.dumps({"cohort": "x"}))
    with pytest.raises(KneeoaError, match="lacks 'found'"):
        read_flow(path)
    path.write_text("{")
    with pytest.raises(KneeoaError, match="cannot be read"):
        flow.draw([path], Figures(), tmp_path / "a.pdf", tmp_path / "a.png")
