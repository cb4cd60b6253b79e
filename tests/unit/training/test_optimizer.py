from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from kneeoa.config.training import Training
from kneeoa.training.dataset import training_batches
from kneeoa.training.optimizer import AdamW, Optimiser, Sgd, epoch_rates, learning_rate_at, make_optimiser


def both(kind: str, parameters: Any, others: Any, decay: float) -> tuple[Optimiser, torch.optim.Optimizer]:
    """Ours and torch's optimiser of a kind."""
    if kind == "adamw":
        return AdamW(parameters, decay), torch.optim.AdamW(others, weight_decay=decay, fused=True)
    if kind == "adamw, other betas":
        return AdamW(parameters, decay, (0.8, 0.95)), torch.optim.AdamW(others, weight_decay=decay, betas=(0.8, 0.95), fused=True)
    momentum, nesterov = {"nesterov": (0.9, True), "momentum": (0.5, False), "plain": (0.0, False)}[kind]
    return Sgd(parameters, decay, momentum, nesterov), torch.optim.SGD(others, weight_decay=decay, momentum=momentum, nesterov=nesterov)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["adamw", "adamw, other betas", "nesterov", "momentum", "plain"])
def test_it_steps_as_torchs_does_to_the_last_bit(kind: str, decay: float) -> None:
    torch.manual_seed(0)
    ours, theirs = (nn.ModuleList([nn.Conv2d(2, 4, 3), nn.Linear(4, 3), nn.Linear(3, 3)]) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimiser, other = both(kind, ours.parameters(), theirs.parameters(), decay)
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
    kept = {number: values for number, values in other.state_dict()["state"].items() if values.get("momentum_buffer", values) is not None}
    assert optimiser.state.keys() == kept.keys()
    for number, values in kept.items():
        assert values.keys() == optimiser.state[number].keys()
        assert all(torch.equal(values[name], optimiser.state[number][name]) for name in values)


def test_a_run_has_the_optimiser_that_is_configured() -> None:
    network = nn.Linear(2, 2)
    default, other = make_optimiser(network.parameters(), Training()), make_optimiser(network.parameters(), Training(betas=(0.5, 0.6)))
    assert isinstance(default, AdamW)
    assert isinstance(other, AdamW)
    assert (default.betas, other.betas, default.weight_decay) == ((0.9, 0.999), (0.5, 0.6), 1e-4)
    published = make_optimiser(network.parameters(), Training(protocol="pim-published"))
    assert isinstance(published, Sgd)
    assert (published.momentum, published.nesterov, published.weight_decay) == (0.9, True, 5e-4)


def published_schedule(top: float, warm: int, total: int) -> list[float]:
    """The published formula, written down by itself."""
    rising = list(np.linspace(1e-9, top, warm))
    return rising + [1e-12 + (top - 1e-12) * (1 + math.cos(math.pi * number / total)) / 2 for number in range(total - warm)]


def published_steps(cases: int, size: int, every: int, epochs: int, rates: list[float]) -> list[list[tuple[int, float]]]:
    """Steps of the published loop, by epoch: the cases that a step's gradient is made of, and its
    rate. A gradient that is left at the end of an epoch is zeroed.
    """
    loader = [min(size, cases - first) for first in range(0, cases, size)]
    whole: list[list[tuple[int, float]]] = []
    for epoch in range(epochs):
        steps, gathered = [], 0
        for number, here in enumerate(loader):
            rate = rates[epoch * len(loader) + number]
            gathered += here
            if (number + 1) % every == 0:
                steps.append((gathered, rate))
                gathered = 0
        whole.append(steps)
    return whole


@pytest.mark.parametrize("cases", [64, 66, 70, 79, 80, 82, 95])
@pytest.mark.parametrize(("batch", "micro_batch", "warm"), [(16, 8, 6), (8, 8, 3), (24, 8, 1), (8, None, 0)])
def test_batches_and_rates_are_those_of_the_published_loop(cases: int, batch: int, micro_batch: int | None, warm: int) -> None:
    training = Training(
        schedule="pim", leftover="drop", batch=batch, micro_batch=micro_batch, warmup_micro_batches=warm, learning_rate=0.1, epochs=4
    )
    size = micro_batch or batch
    total = 4 * math.ceil(cases / size)
    expected = published_steps(cases, size, batch // size, 4, published_schedule(0.1, warm, total))
    for epoch in range(1, 5):
        batches = training_batches(cases, batch, 1, epoch, training.whole_batches(cases))
        rates = epoch_rates(training, cases, epoch, len(batches))
        assert [len(each) for each in batches] == [number for number, _ in expected[epoch - 1]]
        assert rates == pytest.approx([rate for _, rate in expected[epoch - 1]], rel=1e-12)


def test_a_single_case_that_would_be_a_batch_joins_the_batch_before() -> None:
    training = Training(schedule="pim", leftover="drop", batch=8, warmup_micro_batches=0, epochs=1)
    batches = training_batches(65, 8, 1, 1, training.whole_batches(65))
    assert [len(each) for each in batches] == [8] * 7 + [9]
    assert epoch_rates(training, 65, 1, len(batches)) == pytest.approx(published_schedule(1e-4, 0, 9)[:8])


def test_the_published_schedule_does_not_come_down_to_zero() -> None:
    training = Training(schedule="pim", batch=1, learning_rate=1.0, warmup_micro_batches=100, epochs=1)
    rates = epoch_rates(training, 1000, 1, 1000)
    assert rates[0] == 1e-9
    assert rates[99:101] == pytest.approx([1.0, 1.0])
    assert rates[-1] == pytest.approx((1 + math.cos(math.pi * 0.899)) / 2)


def test_what_is_kept_of_an_epoch_under_that_schedule_has_the_rate_of_its_last_micro_batch() -> None:
    training = Training(schedule="pim", batch=4, micro_batch=2, learning_rate=1.0, warmup_micro_batches=0, epochs=1)
    whole = published_schedule(1.0, 0, 5)
    assert epoch_rates(training, 9, 1, 3) == pytest.approx([whole[1], whole[3], whole[4]])


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
