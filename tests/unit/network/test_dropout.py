from __future__ import annotations

import pytest
import torch
from torch import nn

from kneeoa.network.dropout import BranchDropout, Dropout, use_keyed_dropout

CASES = torch.tensor([11, 22, 33, 44])


class StochasticDepth(nn.Module):
    """Named as a backbone's."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate


def layers():
    return nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.5), nn.Sequential(StochasticDepth(0.3), nn.Dropout(0.25)))


def test_random_layers_are_replaced_and_weights_keep_their_names():
    network = layers()
    names = list(network.state_dict())
    use_keyed_dropout(network)
    assert [type(network[1]), type(network[2][0]), type(network[2][1])] == [Dropout, BranchDropout, Dropout]
    assert [network[1].p, network[2][0].p, network[2][1].p] == [0.5, 0.3, 0.25]
    assert list(network.state_dict()) == names


def test_masks_follow_the_case_and_the_layer():
    network = layers()
    keys = use_keyed_dropout(network)
    x = torch.ones(4, 600)
    keys.values = CASES
    first, second = network[1](x), network[2][1](x)
    keys.values = CASES[2:]
    assert torch.equal(network[1](x[2:]), first[2:])
    keys.values = CASES.flip(0)
    assert torch.equal(network[1](x), first.flip(0))
    assert not torch.equal(first == 0, second == 0)
    assert set(first.unique().tolist()) == {0.0, 2.0}
    assert float((second == 0).float().mean()) == pytest.approx(0.25, abs=0.03)


def test_several_rows_of_a_case_have_their_own_masks():
    network = layers()
    keys = use_keyed_dropout(network)
    keys.values = CASES
    dropped = network[1](torch.ones(12, 100))  # three rows a case
    keys.values = CASES[1:2]
    assert torch.equal(network[1](torch.ones(3, 100)), dropped[3:6])
    assert not torch.equal(dropped[3], dropped[4])


def test_a_branch_goes_as_a_whole_and_as_often_as_asked():
    network = layers()
    use_keyed_dropout(network).values = torch.arange(4000)
    branch = network[2][0](torch.ones(4000, 2, 3))
    assert torch.equal(branch.amin(dim=(1, 2)), branch.amax(dim=(1, 2)))
    assert float((branch[:, 0, 0] == 0).float().mean()) == pytest.approx(0.3, abs=0.03)
    assert float(branch.max()) == pytest.approx(1 / 0.7)


def test_evaluation_changes_nothing():
    network = layers().eval()
    use_keyed_dropout(network).values = CASES
    x = torch.randn(4, 8)
    assert torch.equal(network[1](x), x)
    assert torch.equal(network[2][0](x), x)


def test_without_keys_torchs_generator_draws():
    torch.manual_seed(0)
    layer = Dropout(0.5)
    assert not torch.equal(layer(torch.ones(2, 100)), layer(torch.ones(2, 100)))
