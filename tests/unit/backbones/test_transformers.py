"""Transformer layers against independent ones, windows against their definition, and stochastic
depth.
"""

import pytest
import torch
from monai.networks.nets.swin_unetr import SwinTransformerBlock, compute_mask
from torch import nn

from kneeoa.backbones import registry
from kneeoa.backbones.residual import StochasticDepth
from kneeoa.backbones.swin2d import Merging, SwinLayer, WindowAttention
from kneeoa.backbones.transformer import TransformerLayer


def test_a_layer_is_torchs_pre_norm_layer():
    torch.manual_seed(0)
    theirs = nn.TransformerEncoderLayer(
        12, 3, dim_feedforward=48, dropout=0.0, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    )
    ours = TransformerLayer(12, 3, 48, 1e-6, drop=0.0)
    names = {"attention.query_key_value": "self_attn.in_proj_", "attention.output": "self_attn.out_proj.", "attention_norm": "norm1."}
    names |= {"perceptron.first": "linear1.", "perceptron.second": "linear2.", "perceptron_norm": "norm2."}
    given = theirs.state_dict()
    ours.load_state_dict({f"{mine}.{kind}": given[f"{other}{kind}"] for mine, other in names.items() for kind in ("weight", "bias")})
    tokens = torch.randn(2, 7, 12)
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shift", [0, 2])
def test_a_windowed_layer_is_monais(shift):
    torch.manual_seed(0)
    window, size = 4, (12, 8)
    theirs = SwinTransformerBlock(8, 2, window_size=(window, window), shift_size=(shift, shift), use_checkpoint=False)
    ours = SwinLayer(8, 2, 32, window, size, shift, 1e-5, drop=0.0)
    names = {"norm1": "attention_norm", "norm2": "perceptron_norm", "attn.qkv": "windows.attention.query_key_value"}
    names |= {"attn.proj": "windows.attention.output", "mlp.linear1": "perceptron.first", "mlp.linear2": "perceptron.second"}
    given = theirs.state_dict()
    tensors = {f"{mine}.{kind}": given[f"{other}.{kind}"] for other, mine in names.items() for kind in ("weight", "bias")}
    ours.load_state_dict({**tensors, "windows.bias_table": given["attn.relative_position_bias_table"]})
    x = torch.randn(2, *size, 8)
    mask = compute_mask([*size], (window, window), (shift, shift), x.device) if shift else None
    torch.testing.assert_close(ours(x), theirs(x, mask), rtol=1e-5, atol=1e-5)


def attended(size, window, shift):
    """``[rows * columns, rows * columns]``: whether an output depends on an input."""
    torch.manual_seed(0)
    layer = WindowAttention(4, 1, window, size, shift)
    x = torch.randn(1, *size, 4, requires_grad=True)
    out = layer(x).sum(dim=-1).flatten()
    touched = [torch.autograd.grad(each, x, retain_graph=True)[0].abs().sum(dim=-1).flatten() > 1e-12 for each in out]
    return torch.stack(touched)


@pytest.mark.parametrize(("size", "window", "shift"), [((6, 6), 3, 0), ((6, 6), 3, 1), ((7, 5), 3, 1), ((5, 2), 3, 1), ((3, 3), 3, 1)])
def test_a_token_sees_its_window_and_nothing_from_the_other_edge(size, window, shift):
    full = tuple(-(-length // window) * window for length in size)
    moved = [shift if length > window else 0 for length in full]
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    # Shifted windows begin at shift - window, so that the first one is cut off by the edge.
    numbers = torch.stack([(rows - moved[0]).div(window, rounding_mode="floor"), (columns - moved[1]).div(window, rounding_mode="floor")])
    numbers = numbers.flatten(1)
    together = (numbers[:, :, None] == numbers[:, None, :]).all(dim=0)
    assert torch.equal(attended(size, window, shift), together)


def test_tables_made_in_inference_serve_training():
    layer = WindowAttention(4, 1, 5, (11, 13), 2)
    with torch.inference_mode():
        layer(torch.randn(1, 11, 13, 4))
    layer(torch.randn(1, 11, 13, 4)).sum().backward()
    assert layer.bias_table.grad is not None


def test_merging_keeps_the_public_order_and_pads_odd_sizes():
    merging = Merging(1, 1e-5)
    merging.norm = nn.Identity()
    merging.reduction = nn.Identity()
    x = torch.arange(1.0, 7).reshape(1, 2, 3, 1)
    assert merging(x).tolist() == [[[[1, 4, 2, 5], [3, 6, 0, 0]]]]


def test_stochastic_depth_drops_whole_cases_and_keeps_the_mean():
    torch.manual_seed(0)
    drop, branch = StochasticDepth(0.3), torch.ones(4000, 2, 3)
    dropped = drop(branch)
    kept = dropped[:, 0, 0] > 0
    assert torch.equal(dropped, torch.where(kept, 1 / 0.7, 0.0)[:, None, None].expand_as(branch))
    assert kept.float().mean().item() == pytest.approx(0.7, abs=0.03)
    assert drop.eval()(branch) is branch
    assert StochasticDepth(0.0)(branch) is branch


@pytest.mark.parametrize("kind", ["efficientnet", "swin2d", "vit"])
def test_drop_path_rises_linearly_to_the_last_layer(kind):
    with torch.device("meta"):
        backbone = registry.build(kind, {"drop_path": 0.2}, dimensions=2, in_channels=1, shape=(384, 384))
    rates = [module.rate for module in backbone.modules() if isinstance(module, StochasticDepth)]
    assert rates[0] == 0
    assert rates == sorted(rates)
    assert 0.18 < rates[-1] <= 0.2
    assert len(rates) == {"efficientnet": 16, "swin2d": 48, "vit": 24}[kind]


def test_swins_odd_images_are_padded_not_cropped():
    torch.manual_seed(0)
    options = {"embedding": 8, "depths": (1, 1, 1, 1), "heads": (1, 1, 1, 1), "window": 3}
    swin = registry.build("swin2d", options, dimensions=2, in_channels=1, shape=(41, 50)).eval()
    image = torch.randn(1, 1, 41, 50, requires_grad=True)
    swin(image).embedding.square().sum().backward()
    assert (image.grad[0, 0, -1].abs().sum() > 0) & (image.grad[0, 0, :, -1].abs().sum() > 0)
