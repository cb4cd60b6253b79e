"""MedicalNet's file layout, written here: names, wrapper, prefix and shortcuts as in
``resnet_18_23dataset.pth``.
"""

import pytest
import torch
from torch import nn

from kneeoa.backbones import registry
from kneeoa.errors import KneeoaError

WIDTHS = (4, 8, 16, 32)


def public_state(shortcut):
    """A state dict under the public names, with the shapes of that network at a sixteenth of its
    width.
    """
    torch.manual_seed(3)
    state = {"conv1.weight": torch.randn(4, 1, 7, 7, 7) / 10, **norm("bn1", 4)}
    before = 4
    for stage, width in enumerate(WIDTHS, start=1):
        for block in range(2):
            place = f"layer{stage}.{block}"
            state[f"{place}.conv1.weight"] = torch.randn(width, before, 3, 3, 3) / 10
            state[f"{place}.conv2.weight"] = torch.randn(width, width, 3, 3, 3) / 10
            state |= norm(f"{place}.bn1", width) | norm(f"{place}.bn2", width)
            if shortcut == "B" and before != width:
                state[f"{place}.downsample.0.weight"] = torch.randn(width, before, 1, 1, 1)
                state |= norm(f"{place}.downsample.1", width)
            before = width
    return state


def norm(name, width):
    parts = {part: torch.rand(width) + 0.5 for part in ("weight", "bias", "running_mean", "running_var")}
    return {f"{name}.{part}": value for part, value in parts.items()}


def network(shortcut, **options):
    torch.manual_seed(0)
    shape = (17, 18, 19)
    built = registry.build("resnet3d", {"width": 4, "shortcut": shortcut, **options}, dimensions=3, in_channels=1, shape=shape)
    return built.eval()


def forward_by_hand(state, image):
    """The public network, written from its tensors."""

    def normed(x, name):
        return nn.functional.batch_norm(x, *(state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))

    x = normed(nn.functional.conv3d(image, state["conv1.weight"], stride=2, padding=3), "bn1").relu()
    x = nn.functional.max_pool3d(x, 3, stride=2, padding=1)
    for stage, (stride, dilation) in enumerate(((1, 1), (2, 1), (1, 2), (1, 4)), start=1):
        for block in range(2):
            place, step = f"layer{stage}.{block}", stride if block == 0 else 1
            y = nn.functional.conv3d(x, state[f"{place}.conv1.weight"], stride=step, padding=dilation, dilation=dilation)
            y = nn.functional.conv3d(normed(y, f"{place}.bn1").relu(), state[f"{place}.conv2.weight"], padding=dilation, dilation=dilation)
            y = normed(y, f"{place}.bn2")
            if f"{place}.downsample.0.weight" in state:
                x = normed(nn.functional.conv3d(x, state[f"{place}.downsample.0.weight"], stride=step), f"{place}.downsample.1")
            else:
                x = nn.functional.avg_pool3d(x, 1, stride=step)
                x = torch.cat([x, x.new_zeros(x.shape[0], y.shape[1] - x.shape[1], *x.shape[2:])], dim=1)
            x = (x + y).relu()
    return x.mean(dim=(2, 3, 4))


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_a_file_in_the_released_layout_gives_the_public_network(tmp_path, shortcut):
    state, backbone = public_state(shortcut), network(shortcut)
    head = {"module.conv_seg.0.weight": torch.zeros(2, 2)}
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in state.items()} | head}, tmp_path / "resnet_18.pth")
    report = backbone.load_pretrained(tmp_path / "resnet_18.pth")
    assert report.left_out == ("conv_seg.0.weight",)
    assert report.tensors == len(state)
    image = torch.randn(2, 1, 17, 18, 19)
    with torch.no_grad():
        torch.testing.assert_close(backbone(image).embedding, forward_by_hand(state, image), rtol=1e-4, atol=1e-4)


def test_the_other_shortcut_is_told_by_its_keys(tmp_path):
    torch.save(public_state("A"), tmp_path / "a.pth")
    with pytest.raises(KneeoaError, match=r"nothing in it is for 'stages\.1\.0\.shortcut\.0\.weight'"):
        network("B").load_pretrained(tmp_path / "a.pth")
    torch.save(public_state("B"), tmp_path / "b.pth")
    with pytest.raises(KneeoaError, match=r"'layer2\.0\.downsample\.0\.weight' has no place"):
        network("A").load_pretrained(tmp_path / "b.pth")


def test_an_earlier_run_of_our_own_is_a_file_too(tmp_path):
    source, target = network("A"), network("A")
    with torch.no_grad():
        source.stem[0].weight.add_(1)
    torch.save({f"backbone.{name}": tensor for name, tensor in source.state_dict().items()}, tmp_path / "own.pth")
    target.load_pretrained(tmp_path / "own.pth")
    assert torch.equal(source.stem[0].weight, target.stem[0].weight)


def test_shortcuts_without_parameters_at_full_width():
    with torch.device("meta"):
        built = registry.build("resnet3d", {"shortcut": "A"}, dimensions=3, in_channels=1, shape=(32, 32, 32))
    projections = sum(before * after + 2 * after for before, after in ((64, 128), (128, 256), (256, 512)))
    assert sum(each.numel() for each in built.parameters()) + 513 * 5 == 33_162_565 - projections
