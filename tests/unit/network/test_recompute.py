from __future__ import annotations

import pytest
import torch
from torch import nn

from kneeoa.network.dropout import use_keyed_dropout
from kneeoa.network.model import build
from kneeoa.network.recompute import recompute, stages
from tests.unit.training.tiny_study import DUAL, SHAPE, spec


class Drops(nn.Module):
    """A stage with batch norm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def test_stages_are_the_outermost_composed_members():
    assert len(stages(build(spec(DUAL)).backbone)) == 4
    assert len(stages(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))) == 0
    nested = nn.Sequential(Drops(), nn.ModuleList([Drops(), Drops()]))
    assert [type(stage) for stage in stages(nested)] == [Drops, nn.ModuleList]


@pytest.mark.parametrize("keyed", [False, True])
def test_gradients_statistics_and_masks_are_those_of_a_plain_pass(keyed):
    results = []
    for again in (False, True):
        torch.manual_seed(0)
        network = nn.Sequential(*(Drops() for _ in range(3)))
        if keyed:
            use_keyed_dropout(network).values = torch.arange(5)
        assert not again or recompute(network) == 3
        names = list(network.state_dict())
        torch.manual_seed(1)
        network(torch.randn(5, 8)).square().sum().backward()
        results.append((names, [p.grad for p in network.parameters()], list(network.buffers())))
    (names, gradients, buffers), (names_again, gradients_again, buffers_again) = results
    assert names == names_again
    for one, other in zip([*gradients, *buffers], [*gradients_again, *buffers_again], strict=True):
        assert torch.equal(one, other)
    assert any(float(gradient.abs().sum()) > 0 for gradient in gradients)


def test_activations_are_dropped():
    """The graph keeps far fewer numbers for the gradient."""

    def kept(again: bool) -> int:
        torch.manual_seed(0)
        network = build(spec(DUAL)).train()
        if again:
            recompute(network.backbone)
        sizes = []

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            network(torch.randn(2, 1, *SHAPE))
        return sum(sizes)

    assert kept(True) < 0.7 * kept(False)


def test_evaluation_is_plain():
    network = build(spec(DUAL)).eval()
    x = torch.randn(2, 1, *SHAPE)
    with torch.no_grad():
        before = network(x).embedding
        recompute(network.backbone)
        assert torch.equal(network(x).embedding, before)
