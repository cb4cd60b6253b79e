"""Public weight files find their places: each tensor of ours comes from one public tensor of its
shape; none is left over but the head.
"""

import pytest
import torch
from monai.networks.nets.efficientnet import EfficientNetBN

from kneeoa.backbones import registry
from kneeoa.backbones.pretrained import renamer
from tests.unit.backbones import public_layouts as public

LITE0 = public.B0
TINY = {"width": 96, "depths": (2, 2, 6, 2), "heads": (3, 6, 12, 24), "window": 7}
LARGE = {"width": 192, "depths": (2, 2, 18, 2), "heads": (6, 12, 24, 48), "window": 12}
SWIN_TINY = {"embedding": 96, "depths": (2, 2, 6, 2), "heads": (3, 6, 12, 24), "window": 7}

CASES = {
    "resnet50": ("resnet50", {}, 224, public.resnet50(), 25_557_032),
    **{
        f"b0-{library}": ("efficientnet", {}, 224, public.efficientnet(library, public.B0, 32, 1280), 5_288_548)
        for library in ("pytorch", "timm", "torchvision")
    },
    **{
        f"b7-{library}": ("efficientnet", {"variant": "b7"}, 600, public.efficientnet(library, public.B7, 64, 2560), 66_347_960)
        for library in ("pytorch", "timm", "torchvision")
    },
    **{
        f"lite0-{library}": (
            "efficientnet",
            {"variant": "lite0"},
            224,
            public.efficientnet(library, LITE0, 32, 1280, excited=False),
            4_652_008,
        )
        for library in ("pytorch", "timm")
    },
    "vit-timm": ("vit", {}, 384, public.vit_b16("timm", 384), 86_859_496),
    "vit-torchvision": ("vit", {}, 224, public.vit_b16("torchvision", 224), 86_567_656),
    "swin-l-timm": ("swin2d", {}, 384, public.swin("timm", **LARGE), 196_735_516),
    "swin-l-authors": ("swin2d", {}, 384, public.swin("authors", **LARGE, tables=True), 196_735_516),
    "swin-t-torchvision": ("swin2d", SWIN_TINY, 224, public.swin("torchvision", **TINY, tables=True), 28_288_354),
}


@pytest.mark.parametrize("case", CASES)
def test_every_tensor_finds_its_place(case):
    kind, options, side, layout, count = CASES[case]
    assert public.parameters(layout) == count  # the library's own number: the layout above is complete
    with torch.device("meta"):
        backbone = registry.build(kind, options, dimensions=2, in_channels=3, shape=(side, side))
    rename = backbone.public_names(merging_ends_stage=True) if case == "swin-l-authors" else backbone.public_names()
    places = {name: rename(name) for name in layout}
    left_out = {name for name, place in places.items() if place is None}
    assert {name.rsplit(".", 1)[-1] for name in left_out} <= {"weight", "bias", "relative_position_index", "attn_mask"}
    assert sum(1 for name in left_out if name.endswith(("weight", "bias"))) == 2  # the classifier's
    targets = [place for place in places.values() if place is not None]
    parameters = {name: tuple(tensor.shape) for name, tensor in backbone.state_dict().items()}
    assert sorted(targets) == sorted(parameters)
    assert {place: layout[name] for name, place in places.items() if place is not None} == parameters


@pytest.mark.parametrize("case", CASES)
def test_our_own_names_pass_through(case):
    kind, options, side, *_ = CASES[case]
    with torch.device("meta"):
        backbone = registry.build(kind, options, dimensions=2, in_channels=3, shape=(side, side))
    rename = backbone.public_names()
    assert all(rename(name) == name for name in backbone.state_dict())


def test_unknown_names_are_given_back():
    rename = renamer({"a": "b", "a.deep": "c", "head": None, "single": "one"})
    assert [rename(name) for name in ("a.weight", "a.deep.weight", "head.bias", "single", "a.other.weight", "x")] == [
        "b.weight",
        "c.weight",
        None,
        "one",
        "a.other.weight",
        "x",
    ]


def test_b0_says_what_monais_does(tmp_path):
    """An independent network of the same weights: widths, gates, padding on odd and even sizes,
    norms and their order.
    """
    torch.manual_seed(0)
    theirs = EfficientNetBN("efficientnet-b0", pretrained=False, spatial_dims=2, in_channels=1, num_classes=5)
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after training, not the identity
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.normal_(module.running_mean, std=0.2)
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in theirs.state_dict().items()}}, tmp_path / "b0.pth")
    ours = registry.build("efficientnet", {}, dimensions=2, in_channels=1, shape=(224, 224))
    ours.load_pretrained(tmp_path / "b0.pth")
    image = torch.randn(1, 1, 224, 224)
    with torch.no_grad():
        features = ours.eval()(image)
        expected = theirs.eval()(image)
        torch.testing.assert_close(theirs._fc(features.embedding), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "options", "given", "wanted"),
    [
        ("vit", {"patch": 4, "embedding": 8, "depth": 4, "heads": 2}, (12, 12), (8, 16)),
        ("vit", {"patch": 4, "embedding": 8, "depth": 4, "heads": 2}, (8, 8, 8), (12, 8, 8)),
    ],
)
def test_positions_of_another_grid_are_interpolated(tmp_path, kind, options, given, wanted):
    torch.manual_seed(0)
    source, target = (registry.build(kind, options, dimensions=len(shape), in_channels=1, shape=shape) for shape in (given, wanted))
    ramp = torch.linspace(0, 1, source.grid[0]).reshape(-1, *[1] * len(source.grid)).expand(*source.grid, 8)
    with torch.no_grad():
        source.positions[:, 1:] = ramp.reshape(1, -1, 8)
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    target.load_pretrained(tmp_path / "weights.pth")
    assert torch.equal(target.positions[:, 0], source.positions[:, 0])
    table = target.positions[0, 1:].reshape(*target.grid, 8)
    along = table.flatten(1).mean(dim=1)
    assert (along.diff() > 0).all()  # still rises along the first axis
    torch.testing.assert_close(table, along.reshape(-1, *[1] * len(target.grid)).expand_as(table), atol=1e-6, rtol=0)  # and along no other
    torch.testing.assert_close(along.mean(), ramp.mean(), atol=0.02, rtol=0)


def test_biases_of_another_window_are_interpolated(tmp_path):
    torch.manual_seed(0)
    options = {"embedding": 8, "depths": (1, 1, 1, 1), "heads": (1, 1, 1, 1)}
    source, target = (
        registry.build("swin2d", {**options, "window": window}, dimensions=2, in_channels=1, shape=(40, 40)) for window in (3, 4)
    )
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    target.load_pretrained(tmp_path / "weights.pth")
    small, large = (each.stages[0][0].windows.bias_table.detach() for each in (source, target))
    assert large.shape == (49, 1)
    torch.testing.assert_close(large[24], small[12])  # no offset stays no offset


@pytest.mark.parametrize("ends", [True, False])
def test_swins_mergings_are_found_in_either_place(tmp_path, ends):
    """The numbers in the names are the same for the second stage's and the third's merging; the
    file's other names decide.
    """
    torch.manual_seed(0)
    options = {"embedding": 8, "depths": (1, 1, 1, 1), "heads": (1, 1, 1, 1), "window": 3}
    source, target = (registry.build("swin2d", options, dimensions=2, in_channels=1, shape=(40, 40)) for _ in range(2))
    public_of = {f"mergings.{number}.": f"layers.{number + (not ends)}.downsample." for number in range(3)}
    tensors = {}
    for name, tensor in source.state_dict().items():
        start = name[: len("mergings.0.")]
        tensors[public_of[start] + name[len(start) :] if start in public_of else name] = tensor
    torch.save(tensors, tmp_path / "weights.pth")
    target.load_pretrained(tmp_path / "weights.pth")
    assert all(torch.equal(tensor, target.state_dict()[name]) for name, tensor in source.state_dict().items())
