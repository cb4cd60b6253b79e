import pytest

from kneeoa.errors import KneeoaError
from kneeoa.figures.arms import modes, panels


def test_a_panel_is_a_backbone_and_keeps_the_order_of_the_configuration():
    arms = {f"{b}-{m}": {"backbone": b, "mode": m} for b in ("m3t", "resnet3d") for m in ("single_oa", "dual")}
    found = panels(arms, {})
    assert [(panel.title, panel.arms) for panel in found] == [
        ("M3T", {"single_oa": "m3t-single_oa", "dual": "m3t-dual"}),
        ("ResNet3D", {"single_oa": "resnet3d-single_oa", "dual": "resnet3d-dual"}),
    ]
    assert modes(arms) == ["single_oa", "dual"]


def test_one_backbone_at_two_grids_makes_two_panels_with_titles_that_tell_them_apart():
    arms = {f"a-{g}": {"backbone": "m3t", "mode": "dual", "grid": g} for g in ("cube", "small")}
    assert [panel.title for panel in panels(arms, {})] == ["M3T, cube", "M3T, small"]


def test_arms_that_differ_in_training_alone_are_panels_under_their_own_names():
    arms = {name: {"backbone": "m3t", "mode": "dual"} for name in ("m3t-short", "m3t-long")}
    assert [panel.arms for panel in panels(arms, {})] == [{"dual": "m3t-short"}, {"dual": "m3t-long"}]


def test_an_arm_without_its_mode_is_said():
    with pytest.raises(KneeoaError, match="'x' lacks 'mode'"):
        panels({"x": {"backbone": "m3t"}}, {})
