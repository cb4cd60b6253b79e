"""The chunked scan against the step-by-step recurrence: values and gradients."""

import pytest
import torch
from torch.nn import functional

from kneeoa.backbones import selective_scan as module
from kneeoa.backbones.selective_scan import selective_scan, selective_scan_reference


def arguments(length, kind, batch=2, channels=3, states=4):
    generator = torch.Generator().manual_seed(length)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(kind)

    x, delta = normal(batch, length, channels), functional.softplus(normal(batch, length, channels) - 2)
    rates = -torch.exp(normal(channels, states))
    found = (x, delta, rates, normal(batch, length, states), normal(batch, length, states), normal(channels))
    return tuple(each.requires_grad_() for each in found), normal(batch, length, channels)


def relative(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 300])
def test_values_and_gradients(length, kind, tolerance):
    given, weights = arguments(length, kind)
    found, expected = selective_scan(*given), selective_scan_reference(*given)
    assert found.dtype == kind
    assert relative(found, expected) < tolerance
    for mine, theirs in zip(
        torch.autograd.grad((found * weights).sum(), given), torch.autograd.grad((expected * weights).sum(), given), strict=True
    ):
        assert (mine - theirs).abs().max() <= tolerance * theirs.abs().max()


def test_a_long_sequence_in_both_precisions():
    given, weights = arguments(4096, torch.float64, batch=1)
    expected = selective_scan_reference(*given)
    gradients = torch.autograd.grad((expected * weights).sum(), given)
    for kind, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-10)):
        mine = [each.detach().to(kind).requires_grad_() for each in given]
        found = selective_scan(*mine)
        assert relative(found, expected) < tolerance
        for one, other in zip(torch.autograd.grad((found * weights.to(kind)).sum(), mine), gradients, strict=True):
            assert relative(one, other) < tolerance


def test_recomputing_a_chunk_at_a_time_changes_nothing(monkeypatch):
    given, weights = arguments(100, torch.float64)
    whole = torch.autograd.grad((selective_scan(*given) * weights).sum(), given)
    monkeypatch.setattr(module, "HELD_STATES", 1)
    pieces = torch.autograd.grad((selective_scan(*given) * weights).sum(), given)
    for one, other in zip(whole, pieces, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


def test_memory_of_a_long_sequence_stays_below_its_states():
    """What autograd keeps for the backward pass: a few numbers for each input, not one for each state of each step."""
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
        found = selective_scan(*half)
    assert found.dtype == torch.bfloat16
    assert relative(found.float(), expected) < 0.005  # one rounding to 8 bits
