import pandas as pd
import pytest

from kneeoa.presentation.display_names import count_noun, display_name, sentence_case
from kneeoa.presentation.number_format import UNDEFINED, format_interval, format_number, format_p, format_percent, format_range


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, ".500"), (0.0004, "<.001"), (2.2e-155, "<.001"), (0.0, "<.001"), (1.0, ">.999"), (0.9994, ".999"), (0.0496, ".050")],
)
def test_p_is_printed_as_journals_do_and_never_as_zero(value, text):
    assert format_p(value) == text


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, float("inf")])
def test_undefined_is_an_en_dash_everywhere(value):
    assert format_number(value) == format_p(value) == format_interval(value, 0.1, 0.2) == format_range([value]) == UNDEFINED


def test_numbers_carry_a_real_minus_and_no_negative_zero():
    assert format_number(-0.0149, 3) == "−0.015"
    assert format_number(0.0204, 3, signed=True) == "+0.020"
    assert format_number(-0.0001, 3, signed=True) == "0.000"


def test_interval_has_its_own_digits_and_vanishes_where_undefined():
    assert format_interval(0.8662, 0.7912, 0.9188) == "0.866 [0.79, 0.92]"
    assert format_interval(0.8662, None, 0.9) == "0.866"


def test_span_says_one_value_once():
    assert format_range([0.881, 0.879], 2) == "0.88"
    assert format_range([0.91, 0.86], 2) == "0.86–0.91"
    assert format_range([-0.1, 0.2], 1) == "−0.1 to 0.2"


def test_percent():
    assert format_percent(0.95) == "95 %"
    assert format_percent(0.975) == "97.5 %"


def test_names_come_from_the_study_then_the_library_then_themselves():
    assert display_name("nnmamba", {"nnmamba": "nnMamba-S"}) == "nnMamba-S"
    assert display_name("resnet3d") == "ResNet3D"
    assert display_name("my_new_net") == "my new net"
    assert sentence_case("macro AUC") == "Macro AUC"
    assert sentence_case("nnMamba") == "nnMamba"
    assert [count_noun(1, "knee"), count_noun(1200, "knee")] == ["1 knee", "1,200 knees"]
