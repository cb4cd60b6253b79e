"""The chunked scan against the step-by-step recurrence: values and gradients."""

import pytest
import torch
from torch.nn import functional

from kneeoa.backbones import selective_scan as module
from kneeoa.backbones.selective_scan import chunked_scan, selective_scan, selective_scan_reference


def arguments(length, kind, batch=2, channels=3, states=4):
    generator = torch.Generator().manual_seed(length)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(kind)

    x, delta = normal(batch, length, channels), functional.softplus(normal(batch, length, channels) - 2)
    rates = -torch.exp(normal(channels, states))
    drawn = (x, delta, rates, normal(batch, length, states), normal(batch, length, states), normal(channels))
    return tuple(each.requires_grad_() for each in drawn), normal(batch, length, channels)


def relative(actual, expected):
    return ((actual - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 300])
def test_values_and_gradients(length, kind, tolerance):
    given, weights = arguments(length, kind)
    actual, expected = selective_scan(*given), selective_scan_reference(*given)
    assert actual.dtype == kind
    assert relative(actual, expected) < tolerance
    for mine, theirs in zip(
        torch.autograd.grad((actual * weights).sum(), given), torch.autograd.grad((expected * weights).sum(), given), strict=True
    ):
        assert (mine - theirs).abs().max() <= tolerance * theirs.abs().max()


@pytest.mark.parametrize("length", [4096, pytest.param(32768, marks=pytest.mark.slow)])
def test_a_long_sequence_in_both_precisions(length):
    given, weights = arguments(length, torch.float64, batch=1, channels=2, states=2)
    expected = selective_scan_reference(*given)
    gradients = torch.autograd.grad((expected * weights).sum(), given)
    for kind, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
        mine = [each.detach().to(kind).requires_grad_() for each in given]
        actual = selective_scan(*mine)
        assert relative(actual, expected) < tolerance
        for one, other in zip(torch.autograd.grad((actual * weights.to(kind)).sum(), mine), gradients, strict=True):
            assert relative(one, other) < tolerance


def test_recomputing_a_chunk_at_a_time_changes_nothing(monkeypatch):
    given, weights = arguments(100, torch.float64)
    whole = torch.autograd.grad((selective_scan(*given) * weights).sum(), given)
    monkeypatch.setattr(module, "HELD_STATES", {"cpu": 1})
    pieces = torch.autograd.grad((selective_scan(*given) * weights).sum(), given)
    for one, other in zip(whole, pieces, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


def test_memory_of_a_long_sequence_stays_below_its_states():
    """Autograd keeps a few numbers for each input for the backward pass, not one for each state of
    each step.
    """
    given, _ = arguments(4096, torch.float32, batch=1, channels=32, states=32)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda each: kept.append(each.numel()) or each, lambda each: each):
        selective_scan(*given)
    assert sum(kept) < 4096 * 32 * 32 / 2


def test_half_precision_is_widened_inside():
    given, _ = arguments(300, torch.float32)
    half = [each.detach().bfloat16() for each in given]
    expected = selective_scan_reference(*[each.float() for each in half])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        actual = selective_scan(*half)
    assert actual.dtype == torch.bfloat16
    assert relative(actual.float(), expected) < 0.005  # one rounding to 8 bits


def test_an_installed_fused_scan_would_get_its_own_layout(monkeypatch):
    """``mamba_ssm`` takes ``[batch, channels, length]`` in float32; a stand-in for it records what
    it is given and answers in kind.
    """

    def fused(u, delta, A, B, C, D):
        assert all(each.dtype == torch.float32 and each.is_contiguous() for each in (u, delta, A, B, C, D))
        turned = [each.transpose(1, 2) for each in (u, delta, B, C)]
        return selective_scan_reference(turned[0], turned[1], A, turned[2], turned[3], D).transpose(1, 2)

    given, _ = arguments(20, torch.float32)
    assert module._steps("cpu") is module.scan_torch
    monkeypatch.setattr(module, "_mamba_ssm", lambda: fused)

    class OnCuda(torch.Tensor):
        is_cuda = True

    actual = selective_scan(given[0].detach().as_subclass(OnCuda), *given[1:])
    torch.testing.assert_close(actual.as_subclass(torch.Tensor), selective_scan_reference(*given), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("length", [1, 63, 64, 65, 4096, 32768])
@pytest.mark.parametrize("way", ["torch", "triton", "mamba_ssm"])
def test_every_way_agrees_on_a_gpu(length, way):
    if way != "torch":
        pytest.importorskip(way)
    given, weights = arguments(length, torch.float32, channels=70, states=8)
    here = [each.detach().cuda().requires_grad_() for each in given]
    if way == "mamba_ssm":
        actual = selective_scan(*here)
    else:
        actual = chunked_scan(*here, module._steps("cuda") if way == "triton" else module.scan_torch)
    expected = selective_scan(*given)
    assert relative(actual.cpu(), expected) < 1e-5
    for mine, theirs in zip(
        torch.autograd.grad((actual * weights.cuda()).sum(), here), torch.autograd.grad((expected * weights).sum(), given), strict=True
    ):
        assert relative(mine.cpu(), theirs) < 1e-5
