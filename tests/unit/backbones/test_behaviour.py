"""Small backbones on small inputs: shapes, gradients, determinism, and the traits that make each
what it is.
"""

import pytest
import torch
from torch import nn
from torch.nn import functional

from kneeoa.backbones import registry
from kneeoa.backbones.residual import BasicBlock

SMALL = {
    "resnet3d": {"width": 4},
    "m3t": {"channels": 3, "cnn_width": 4, "projection": 16, "embedding": 16, "depth": 2, "heads": 4},
    "nnmamba": {"channels": 4, "blocks": 1, "state": 3},
    "densenet121": {"growth": 2, "width": 4, "blocks": (1, 1, 2, 1)},
    "convnext": {"width": 4, "depths": (1, 1, 2, 1), "kernel": 3, "layer_scale": 1.0, "drop_path": 0.0},
    "swin": {"embedding": 6, "depths": (1, 2, 1, 1), "heads": (1, 2, 2, 2), "window": 3},
    "efficientnet": {"width": 0.25},
    "resnet50": {"width": 4},
    "swin2d": {"embedding": 8, "depths": (1, 2, 2, 1), "heads": (1, 2, 2, 4), "window": 3},
    "vit": {"patch": 7, "embedding": 12, "depth": 5, "heads": 2},
}
BOX = (33, 34, 35)
TOKENS = {"convnext", "swin", "swin2d", "vit"}
"""Kinds that have linear layers, and so no convolution of kernel 1."""
BOXES = {"swin2d": (77, 70), "vit": (21, 14, 28)}
"""Shapes of backbones that cannot take the one above."""


def box(kind):
    return BOXES.get(kind, BOX)


def small(kind, shape=None, in_channels=1, seed=0, **options):
    torch.manual_seed(seed)
    shape = shape or box(kind)
    return registry.build(kind, {**SMALL[kind], **options}, dimensions=len(shape), in_channels=in_channels, shape=shape)


@pytest.mark.parametrize("kind", registry.kinds())
def test_maps_and_embedding_of_an_odd_box_with_two_channels(kind):
    backbone = small(kind, in_channels=2)
    features = backbone(torch.randn(2, 2, *box(kind)))
    assert features.embedding.shape == (2, backbone.embedding_width)
    assert tuple(each.shape[1] for each in features.maps) == backbone.map_widths
    positions = [each[0, 0].numel() for each in features.maps]
    assert positions == sorted(positions, reverse=True)


@pytest.mark.parametrize("kind", registry.kinds())
def test_every_parameter_is_used(kind):
    backbone = small(kind)
    backbone(torch.randn(2, 1, *box(kind))).embedding.square().sum().backward()
    # A convolution's bias before a batch norm has a gradient of rounding errors alone.
    biases = {id(each.bias) for each in backbone.modules() if isinstance(each, nn.Conv3d)}
    unused = [name for name, each in backbone.named_parameters() if each.grad is None or not (each.grad.any() or id(each) in biases)]
    assert unused == []


@pytest.mark.parametrize("kind", registry.kinds())
def test_the_seed_alone_decides_the_weights(kind):
    first, second, other = (small(kind, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("kind", registry.kinds())
def test_cases_of_a_batch_do_not_mix_in_evaluation(kind):
    backbone = small(kind).eval()
    images = torch.randn(3, 1, *box(kind))
    with torch.no_grad():
        torch.testing.assert_close(backbone(images).embedding[1:2], backbone(images[1:2]).embedding, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_sliced_shortcut_is_a_strided_convolution(dimensions):
    torch.manual_seed(0)
    block = BasicBlock(dimensions, 3, 6, stride=2).eval()
    image = torch.randn(2, 3, *(7, 8, 5)[:dimensions])
    strided = (functional.conv2d, functional.conv3d)[dimensions - 2](image, block.shortcut[0].weight, stride=2)
    assert torch.allclose(block.shortcut[0](image[block.kept]), strided, atol=1e-6)
    assert block(image).shape == strided.shape


@pytest.mark.parametrize("kind", registry.kinds())
def test_no_pointwise_convolution_is_strided(kind):
    """OneDNN's backward pass of one writes past its memory where channels are few."""
    convolutions = [each for each in small(kind).modules() if isinstance(each, nn.Conv2d | nn.Conv3d) and set(each.kernel_size) == {1}]
    assert bool(convolutions) == (kind not in TOKENS)
    assert all(set(each.stride) == {1} for each in convolutions)


def test_resnet_stages_are_dilated_not_strided():
    stages = small("resnet3d").stages
    assert [stage[0].first.stride[0] for stage in stages] == [1, 2, 1, 1]
    assert [[block.second.dilation[0] for block in stage] for stage in stages] == [[1, 1], [1, 1], [2, 2], [4, 4]]


def test_resnet_stem_stride_keeps_more_of_the_image():
    coarse, fine = (small("resnet3d", stem_stride=stride)(torch.randn(2, 1, 18, 20, 22)).maps[0].shape[2:] for stride in (2, 1))
    assert tuple(coarse) == (5, 5, 6)
    assert tuple(fine) == (9, 10, 11)


def test_resnet_convolutions_begin_kaiming_normal():
    weight = small("resnet3d", width=16).stages[2][1].second.weight
    fan_out = weight.shape[0] * weight[0, 0].numel()
    assert weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.02)


def test_m3t_places_planes_in_the_papers_order():
    """Changing one slice changes the tokens of that slice's plane at its place, and every token of
    the other planes.
    """
    m3t = small("m3t", shape=(8, 9, 10)).eval()
    volume = torch.randn(1, 3, 8, 9, 10)
    changed = volume.clone()
    changed[:, :, :, :, 4] += 1  # coronal slice 4: position 1 + 4
    with torch.no_grad():
        differs = (m3t._tokens(volume) - m3t._tokens(changed)).abs().sum(dim=2)[0] > 1e-6
    coronal, sagittal, axial = differs[1:11], differs[12:20], differs[21:30]
    assert coronal.tolist() == [index == 4 for index in range(10)]
    assert sagittal.all()
    assert axial.all()
    assert not differs[[0, 11, 20, 30]].any()  # class token and separators


def test_m3t_released_squares_slices_and_scales_after_the_softmax():
    paper, released = (small("m3t", shape=(8, 8, 8), variant=variant).eval() for variant in ("paper", "released"))
    assert all(torch.equal(a, b) for a, b in zip(paper.parameters(), released.parameters(), strict=True))
    tokens = torch.randn(2, 5, 16)
    attention = released.transformer[0].attention
    query, key, value = (each.reshape(2, 5, 4, 4).transpose(1, 2) for each in attention.query_key_value(tokens).chunk(3, dim=-1))
    products = query @ key.transpose(-2, -1)
    by_hand = attention.output(((products.softmax(dim=-1) / 4) @ value).transpose(1, 2).reshape(2, 5, 16))  # 4 is the root of width 16
    torch.testing.assert_close(attention(tokens), by_hand)
    usual = attention.output(((products / 2).softmax(dim=-1) @ value).transpose(1, 2).reshape(2, 5, 16))  # 2 is the root of head width 4
    torch.testing.assert_close(paper.transformer[0].attention(tokens), usual)
    image = torch.randn(1, 1, 8, 8, 8)
    volume = released.block(image)
    with torch.no_grad():
        expected = released.transformer(released._tokens(volume**2))[:, 0]
        torch.testing.assert_close(released(image).embedding, expected)
        plain = paper.transformer(paper._tokens(paper.block(image)))[:, 0]
        torch.testing.assert_close(paper(image).embedding, plain)


def test_mamba_begins_as_published_and_sees_the_past_alone():
    mamba = small("nnmamba", channels=16, state=8).mamba.mamba
    assert torch.allclose(mamba.log_decay.exp(), torch.arange(1.0, 9).expand(32, 8))
    assert torch.equal(mamba.skip, torch.ones(32))
    step = functional.softplus(mamba.step.bias)
    assert step.min() > 0.000999
    assert step.max() < 0.1001
    tokens = torch.randn(1, 30, 16)
    later = tokens.clone()
    later[:, 20:] += 1
    with torch.no_grad():
        before, after = mamba(tokens), mamba(later)
    torch.testing.assert_close(before[:, :20], after[:, :20])
    assert ((before - after)[:, 20:].abs().sum(dim=2) > 1e-4).all()
