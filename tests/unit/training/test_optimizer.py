from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from kneeoa.config.training import Training
from kneeoa.training.optimizer import AdamW, learning_rate_at


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_it_steps_as_torchs_does_to_the_last_bit(decay: float) -> None:
    torch.manual_seed(0)
    ours, theirs = (nn.ModuleList([nn.Conv2d(2, 4, 3), nn.Linear(4, 3), nn.Linear(3, 3)]) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimiser, other = AdamW(ours.parameters(), decay), torch.optim.AdamW(theirs.parameters(), weight_decay=decay, fused=True)
    for step in range(4):
        optimiser.rate = other.param_groups[0]["lr"] = 0.01 / (step + 1)
        for network in (ours, theirs):
            network.zero_grad()
            output = network[1](network[0](torch.full((1, 2, 5, 5), 1.0 + step)).mean(dim=(2, 3)))
            (output if step else network[2](output)).square().sum().backward()  # the last layer has a gradient at first alone
        optimiser.step()
        other.step()
        for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, its)
    assert optimiser.state.keys() == other.state_dict()["state"].keys()
    for number, values in other.state_dict()["state"].items():
        assert values.keys() == optimiser.state[number].keys()
        assert all(torch.equal(values[name], optimiser.state[number][name]) for name in values)


def test_cosine_rises_linearly_then_falls_to_nearly_nothing():
    training = Training(learning_rate=0.1, warmup=0.2)
    rates = [learning_rate_at(training, step, 50) for step in range(50)]
    assert rates[:10] == pytest.approx([0.01 * step for step in range(1, 11)])
    assert rates[10] == pytest.approx(0.1)
    assert rates[30] == pytest.approx(0.05)  # half-way down
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[10:]))
    assert 0 < rates[-1] < 0.001


def test_no_warm_up_begins_at_the_top_and_one_step_is_enough():
    assert learning_rate_at(Training(learning_rate=0.1, warmup=0), 0, 1) == pytest.approx(0.1)
    assert learning_rate_at(Training(learning_rate=0.1, warmup=0.9), 0, 1) == pytest.approx(0.1)


def test_constant_is_constant():
    training = Training(learning_rate=0.1, warmup=0.5, schedule="constant")
    assert {learning_rate_at(training, step, 10) for step in range(10)} == {0.1}
