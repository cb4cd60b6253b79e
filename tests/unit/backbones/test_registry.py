"""The registry: options and shapes are checked without torch, and mistakes are told in a
sentence.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from kneeoa.backbones import registry
from kneeoa.errors import KneeoaError

LIBRARY = Path(registry.__file__).parents[2]


FLAT = {"swin2d"}
"""Kinds that take two axes alone."""


def test_checking_imports_no_torch():
    program = (
        "import sys; import kneeoa.heads.registry, kneeoa.network.spec, kneeoa.config.hierarchy;"
        "from kneeoa.backbones import registry as b;"
        f"[b.check(kind, {{}}, (64, 64) if kind in {FLAT} else (64, 64, 64)) for kind in b.kinds()];"
        "print('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(LIBRARY)})
    assert process.stdout.strip() == "False"


def test_defaults_are_filled_in_and_given_options_kept():
    checked = registry.check("m3t", {"channels": 4}, (24, 24, 24))
    assert checked["channels"] == 4
    assert checked["cnn_width"] == 64


@pytest.mark.parametrize(
    ("kind", "options", "shape", "message"),
    [
        ("vgg", {}, (32, 32, 32), "'vgg', which is not a backbone; allowed are " + ", ".join(registry.kinds())),
        ("resnet3d", {"widht": 8}, (32, 32, 32), "'widht' is not known; did you mean 'width'?"),
        ("resnet3d", {"width": 0}, (32, 32, 32), "'width' is 0"),
        ("resnet3d", {"stem_stride": 3}, (32, 32, 32), "'stem_stride' is 3; allowed are 1 or 2"),
        ("resnet3d", {}, (8, 32, 32), "at least 9 voxels along each axis, not [8, 32, 32]"),
        ("resnet3d", {}, (64, 64), "takes 3 axes, but the input has 2"),
        ("nnmamba", {}, (16, 32, 32), "at least 17 voxels"),
        ("nnmamba", {}, (64, 64), "takes 3 axes"),
        ("m3t", {}, (64, 64), "takes 3 axes"),
        ("m3t", {"embedding": 30, "heads": 4}, (32, 32, 32), "'heads' (4) must divide 'embedding' (30)"),
        ("m3t", {"variant": "released"}, (24, 32, 32), "takes a cube, not [24, 32, 32]"),
        ("m3t", {"variant": "release"}, (32, 32, 32), "'variant' is 'release'; allowed are 'paper' or 'released'"),
    ],
)
def test_mistakes_name_key_value_and_what_is_allowed(kind, options, shape, message):
    with pytest.raises(KneeoaError) as error:
        registry.check(kind, options, shape)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(KneeoaError):
        registry.build(kind, options, dimensions=len(shape), in_channels=1, shape=shape)


def test_dimensions_must_match_the_shape():
    with pytest.raises(KneeoaError, match="2 dimensions cannot have the shape"):
        registry.build("resnet3d", {}, dimensions=2, in_channels=1, shape=(32, 32, 32))


def test_code_modules_are_files_of_that_kind_alone():
    every = [registry.code_modules(kind) for kind in registry.kinds()]
    assert len({name for names in every for name in names}) == 2 * len(every)
    for kind, names in zip(registry.kinds(), every, strict=True):
        assert all(LIBRARY.joinpath(*name.split(".")).with_suffix(".py").is_file() for name in names)
        assert all(name.endswith(kind) for name in names)
    with pytest.raises(KneeoaError, match="not a backbone"):
        registry.code_modules("vgg")
