import captum.attr
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kneeoa.config.analysis import Saliency
from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.errors import KneeoaError
from kneeoa.network.model import ModelSpec, Network, build
from kneeoa.saliency.methods import registry
from kneeoa.saliency.methods.integrated_gradients import baseline
from kneeoa.saliency.methods.interface import Target
from kneeoa.saliency.methods.occlusion import tiles

SHAPE = (12, 16, 16)
LEVELS = (
    Level(name="oa", kind="binary", classes=("no", "yes")),
    Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1)),
)
OPTIONS = Saliency(samples=2, steps=12, cube=4)
IMAGES = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 1, *SHAPE)).astype(np.float32))


def network_of(backbone: str = "resnet3d", options: dict[str, int] | None = None) -> Network:
    torch.manual_seed(0)
    mode = Mode(kind="single", levels=("kl",))
    settings = {"width": 4} if options is None else options
    spec = ModelSpec(backbone=backbone, options=settings, dimensions=3, shape=SHAPE, mode=mode, levels=LEVELS)
    return build(spec).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def target() -> Target:
    return Target(network_of(), "oa", "kl")


def explain(method: str, target: Target, images: Tensor = IMAGES, options: Saliency = OPTIONS) -> Tensor:
    return registry.load(method)(target, images, [np.random.default_rng(case) for case in range(len(images))], options)


class Scored(nn.Module):
    """A target as a module, whose layers captum can hook."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target, self.network = target, target.network

    def forward(self, image: Tensor) -> Tensor:
        return self.target(image)


def coarsest(network: Network) -> nn.Module:
    """The module whose output is the backbone's last feature map."""
    outputs: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        module.register_forward_hook(lambda module, _, output: outputs.append((module, output)) if isinstance(output, Tensor) else None)
        for module in network.backbone.modules()
    ]
    last = network(IMAGES).maps[-1]
    for hook in hooks:
        hook.remove()
    return next(module for module, output in reversed(outputs) if output is last)


def test_the_methods_are_the_files_of_the_folder() -> None:
    assert registry.methods() == ("grad_cam", "integrated_gradients", "occlusion", "smoothgrad", "smoothgrad_input")
    with pytest.raises(KneeoaError, match="'lime' is not a method"):
        registry.load("lime")
    with pytest.raises(ValueError, match="'lime' is not a method of saliency"):
        Saliency(methods=("lime",))
    assert "steps" not in Saliency().of_method("occlusion")


@pytest.mark.parametrize("method", registry.methods())
def test_a_map_is_of_its_own_case_and_deterministic(target: Target, method: str) -> None:
    together = explain(method, target)
    assert together.shape == (2, *SHAPE)
    assert torch.isfinite(together).all()
    assert torch.equal(together, explain(method, target))
    alone = explain(method, target, IMAGES[:1])
    torch.testing.assert_close(alone[0], together[0], rtol=1e-3, atol=1e-4 * float(together[0].abs().max()))


CROP = (10, 10, 12)


@pytest.mark.parametrize("method", registry.methods())
def test_a_map_is_zero_where_the_network_does_not_look(method: str) -> None:
    torch.manual_seed(0)
    mode = Mode(kind="single", levels=("kl",))
    spec = ModelSpec(backbone="resnet3d", options={"width": 4}, dimensions=3, shape=SHAPE, crop=CROP, mode=mode, levels=LEVELS)
    cropped = Target(build(spec).eval().requires_grad_(False), "oa", "kl")
    maps = explain(method, cropped)
    assert maps.shape == (2, *SHAPE)
    inside = torch.zeros(SHAPE, dtype=torch.bool)
    inside[1:11, 3:13, 2:14] = True
    assert not maps[:, ~inside].any()
    assert maps[:, inside].any()
    if method == "grad_cam":
        alone = explain(method, cropped, IMAGES[:, :, 1:11, 3:13, 2:14].contiguous())
        torch.testing.assert_close(maps[:, 1:11, 3:13, 2:14], alone)


def test_integrated_gradients_are_captums_and_complete(target: Target) -> None:
    actual = explain("integrated_gradients", target)
    expected = captum.attr.IntegratedGradients(target).attribute(IMAGES, baseline(IMAGES), n_steps=12, method="riemann_middle")
    torch.testing.assert_close(actual, expected[:, 0], rtol=1e-3, atol=1e-6)
    many = explain("integrated_gradients", target, options=Saliency(steps=200))
    gap = target(IMAGES) - target(baseline(IMAGES))
    torch.testing.assert_close(many.flatten(1).sum(dim=1), gap, rtol=0.02, atol=1e-3)


def test_occlusion_is_captums_where_cubes_divide_the_image(target: Target) -> None:
    actual = explain("occlusion", target)
    for case in range(2):
        one = IMAGES[case : case + 1]
        expected = captum.attr.Occlusion(target).attribute(one, (1, 4, 4, 4), strides=(1, 4, 4, 4), baselines=float(one.mean()))
        torch.testing.assert_close(actual[case] * 4**3, expected[0, 0], rtol=1e-3, atol=1e-5)
    covered = np.zeros((5, 7), dtype=int)
    for tile in tiles((5, 7), 3):
        covered[tile] += 1
    assert (covered == 1).all()


def test_grad_cam_is_captums_and_never_negative(target: Target) -> None:
    actual = explain("grad_cam", target)
    with torch.enable_grad():
        small = captum.attr.LayerGradCam(Scored(target), coarsest(target.network)).attribute(
            IMAGES.clone().requires_grad_(True), relu_attributions=True
        )
    up = nn.functional.interpolate(small, size=SHAPE, mode="trilinear", align_corners=False)[:, 0]
    torch.testing.assert_close(actual, up.detach(), rtol=1e-3, atol=1e-6)
    assert (actual >= 0).all()
    assert actual.any()


def test_grad_cam_finds_the_map_of_a_transformer() -> None:
    options = {"channels": 2, "cnn_width": 8, "projection": 64, "embedding": 32, "depth": 1, "heads": 4}
    torch.manual_seed(0)
    mode = Mode(kind="single", levels=("kl",))
    spec = ModelSpec(backbone="m3t", options=options, dimensions=3, shape=(16, 16, 16), mode=mode, levels=LEVELS)
    network = build(spec).eval().requires_grad_(False)
    images = torch.randn(1, 1, 16, 16, 16)
    assert explain("grad_cam", Target(network, "oa", "kl"), images).shape == (1, 16, 16, 16)


def test_a_graded_level_is_explained_by_the_class_that_is_given() -> None:
    network = network_of()
    target = Target(network, "kl", "kl", torch.tensor([4, 1]))
    logits = network(IMAGES).logits["kl"]
    torch.testing.assert_close(target(IMAGES), torch.stack([logits[0, 4], logits[1, 1]]))
