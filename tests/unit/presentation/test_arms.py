import pytest

from kneeoa.errors import KneeoaError
from kneeoa.presentation.arms import arm_title, display_value, pair_title, panels, values_of


def test_a_panel_is_a_backbone_and_keeps_the_order_of_the_configuration():
    arms = {f"{b}-{m}": {"backbone": b, "mode": m} for b in ("m3t", "resnet3d") for m in ("single_oa", "dual")}
    grouped = panels(arms, {})
    assert [(panel.title, panel.arms) for panel in grouped] == [
        ("M3T", {"single_oa": "m3t-single_oa", "dual": "m3t-dual"}),
        ("ResNet3D", {"single_oa": "resnet3d-single_oa", "dual": "resnet3d-dual"}),
    ]
    assert values_of(arms, "mode") == ["single_oa", "dual"]


def test_one_backbone_at_two_grids_makes_two_panels_with_titles_that_tell_them_apart():
    arms = {f"a-{g}": {"backbone": "m3t", "mode": "dual", "grid": g} for g in ("cube", "small")}
    assert [panel.title for panel in panels(arms, {})] == ["M3T, cube", "M3T, small"]


def test_arms_that_differ_in_training_alone_are_panels_under_their_own_names():
    arms = {name: {"backbone": "m3t", "mode": "dual"} for name in ("m3t-short", "m3t-long")}
    assert [panel.arms for panel in panels(arms, {})] == [{"dual": "m3t-short"}, {"dual": "m3t-long"}]


def test_an_arm_without_its_mode_is_said():
    with pytest.raises(KneeoaError, match="'x' lacks 'mode'"):
        panels({"x": {"backbone": "m3t"}}, {})


ARMS = {
    f"{b}-{m}": {"backbone": b, "mode": m, "grid": g, "plugin": "none"}
    for b, g in (("m3t", "cube"), ("vit", "canonical"))
    for m in ("single_kl", "dual")
}
ARMS |= {"vit-pim": {"backbone": "vit", "mode": "dual", "grid": "canonical", "plugin": "pim"}}
ARMS |= {"pool": {"backbone": "m3t+vit", "mode": "dual", "grid": "cube+canonical", "plugin": "none", "members": ["m3t-dual", "vit-dual"]}}
ARMS = {name: factors | {"ensemble": "mean of arms" if "members" in factors else "none"} for name, factors in ARMS.items()}


def test_a_panel_holds_the_values_of_whatever_factor_varies():
    arms_by_title = {panel.title: panel.arms for panel in panels(ARMS, {}, ("backbone", "grid"))}
    assert arms_by_title == {
        "Single-KL": {"m3t": "m3t-single_kl", "vit": "vit-single_kl"},
        "Dual": {"m3t": "m3t-dual", "vit": "vit-dual"},
        "Dual, plugin pim": {"vit": "vit-pim"},
        "Dual, mean of arms": {"m3t+vit": "pool"},
    }
    assert values_of(ARMS, "backbone") == ["m3t", "vit", "m3t+vit"]
    assert [panel.title for panel in panels(ARMS, {})] == ["M3T", "ViT", "ViT, plugin pim", "M3T+ViT, mean of arms"]


def test_an_arm_is_called_by_what_tells_it_apart():
    assert arm_title(ARMS, "vit-pim", {}) == "ViT, plugin pim"
    assert arm_title(ARMS, "vit-dual", {}, ("plugin",)) == "ViT, Dual"
    assert pair_title(ARMS, "vit-dual", "m3t-dual", {}, ("backbone",)) == "Dual"
    assert pair_title(ARMS, "pool", "vit-dual", {}, ("ensemble",)) == "ViT, Dual"


@pytest.mark.parametrize(
    ("factor", "value", "text"),
    [
        ("mode", "single_kl", "Single-KL"),
        ("backbone", "m3t+vit", "M3T+ViT"),
        ("training.learning_rate", "0.001", "learning rate 0.001"),
        ("plugin", "none", "no plugin"),
        ("rater", "none", "reference labels"),
        ("ensemble", "none", "single network"),
    ],
)
def test_values_are_printed_so_that_their_factor_is_plain(factor, value, text):
    assert display_value(factor, value, {}) == text
