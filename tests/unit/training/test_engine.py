from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from torch import nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.config.training import Augmentation
from kneeoa.errors import KneeoaError
from kneeoa.heads import registry as modes
from kneeoa.network.model import build
from kneeoa.network.network import Network
from kneeoa.training.augmentation import draw_augmentation
from kneeoa.training.engine import Engine
from tests.unit.training.tiny_study import DUAL, LEVELS, SHAPE, TRAINING, spec

CPU = torch.device("cpu")
CASES = 6
ROWS = np.arange(CASES)
KEYS = [101 + row for row in range(CASES)]
LABELS = {"oa": torch.tensor([0, 1, -1, -1, 1, 0]), "kl": torch.tensor([0, 3, 2, -1, -1, 1])}  # a part may have few labels, or none


class Plain(Backbone):
    """No batch norm, so a batch's parts see what the batch sees; dropout before and after, and a
    limit to what fits.
    """

    def __init__(self, limit: int = 99) -> None:
        super().__init__()
        self.embedding_width, self.map_widths, self.head_dropout = 8, (4,), 0.5
        self.block = nn.Sequential(nn.Conv3d(1, 4, 3), nn.Dropout(0.3), nn.ReLU())
        self.embed = nn.Linear(4, 8)
        self.count = nn.BatchNorm1d(4, affine=False)  # in evaluation mode, but its statistics are there
        self.limit = limit
        self.sizes: list[int] = []

    def forward(self, image: torch.Tensor) -> Features:
        self.sizes.append(len(image))
        x = self.block(image)
        if len(image) > self.limit:
            raise torch.OutOfMemoryError("not on this device")
        return Features([x], self.embed(self.count.eval()(x.mean(dim=(2, 3, 4)))))


def engine(limit: int = 99, **changes) -> Engine:
    torch.manual_seed(0)
    backbone = Plain(limit)
    network = Network(backbone, modes.build(DUAL, LEVELS, backbone.embedding_width), LEVELS)
    return Engine(network.train(), TRAINING.model_copy(update=changes), CPU)


def images() -> torch.Tensor:
    return torch.randn((CASES, 1, *SHAPE), generator=torch.Generator().manual_seed(3)).half()


def step(of: Engine) -> tuple[dict[str, torch.Tensor], list[torch.Tensor]]:
    """Losses and gradients of the batch, with every kind of augmentation."""
    everything = Augmentation(shift=0.2, scale=0.2, noise=0.2, rotation=10, zoom=0.1, gamma=0.3)
    augment = draw_augmentation(everything, CASES, SHAPE, seed=1, epoch=1)
    losses = of.gradients(images(), LABELS, KEYS, 5, lambda some, part: augment(some, ROWS[part]))
    return losses, [parameter.grad.clone() for parameter in of.network.parameters()]


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_micro_batches_have_the_batchs_loss_gradient_and_random_numbers(size):
    losses, gradients = step(engine())
    parted = engine(micro_batch=size)
    losses_parted, gradients_parted = step(parted)
    assert max(parted.network.backbone.sizes) <= size
    assert losses.keys() == losses_parted.keys() == {"oa", "kl", "total"}
    for name, value in losses.items():
        assert float(value) == pytest.approx(float(losses_parted[name]), rel=1e-5)
    for one, other in zip(gradients, gradients_parted, strict=True):
        assert float((one - other).abs().max()) <= 1e-4 * float(one.abs().max())


def test_the_mean_is_over_the_labels_of_the_whole_batch():
    """Averaging the parts' own means would weigh a part with one label like a part with many."""
    halves = []
    for part in (slice(0, 3), slice(3, 6)):
        labels = {name: values[part] for name, values in LABELS.items()}
        halves.append(engine().gradients(images()[part], labels, KEYS[part], 5, lambda some, _: some.float())["kl"])
    labelled = [(LABELS["kl"][:3] >= 0).sum(), (LABELS["kl"][3:] >= 0).sum()]
    plain = engine().gradients(images(), LABELS, KEYS, 5, lambda some, _: some.float())["kl"]
    assert float(plain) == pytest.approx(float((halves[0] * labelled[0] + halves[1] * labelled[1]) / sum(labelled)), rel=1e-5)
    assert float(plain) != pytest.approx(float((halves[0] + halves[1]) / 2), rel=1e-3)


def test_out_of_memory_halves_repeats_the_step_and_is_remembered(caplog):
    losses, gradients = step(engine(micro_batch=2))
    short = engine(limit=2)
    with caplog.at_level(logging.WARNING):
        losses_short, gradients_short = step(short)
    assert short.network.backbone.sizes == [6, 3, 2, 2, 2]
    assert short.micro_batch == 2
    assert caplog.text.count("ran out of memory") == 2
    assert losses_short == losses
    assert all(torch.equal(one, other) for one, other in zip(gradients, gradients_short, strict=True))
    short.network.backbone.sizes.clear()
    step(short)
    assert short.network.backbone.sizes == [2, 2, 2]


def test_a_failed_attempt_leaves_no_trace_in_the_running_statistics():
    """The first part of a step fits, a later one does not: batch normalisation must not have seen
    it twice.
    """

    class Later(nn.Module):
        """Fails in the third call."""

        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            if self.calls == 3:
                raise torch.OutOfMemoryError
            return x

    def buffers(failing: bool, size: int) -> list[torch.Tensor]:
        torch.manual_seed(0)
        network = build(spec(DUAL)).train()
        if failing:
            network.backbone.stem.append(Later())
        running = Engine(network, TRAINING.model_copy(update={"micro_batch": size}), CPU)
        step(running)
        return [buffer.clone() for buffer in network.buffers()]

    for one, other in zip(buffers(True, 2), buffers(False, 1), strict=True):
        assert torch.equal(one, other)


def test_not_even_one_case():
    with pytest.raises(KneeoaError, match="recompute"):
        step(engine(limit=0))


def test_recomputing_changes_no_bit():
    results = []
    for again in (False, True):
        torch.manual_seed(0)
        network = build(spec(DUAL)).train()
        losses, gradients = step(Engine(network, TRAINING.model_copy(update={"recompute": again}), CPU))
        results.append([*losses.values(), *gradients, *network.buffers()])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_recompute_without_stages_says_so(caplog):
    engine(recompute=True)
    assert "no stages" in caplog.text


def test_a_compiler_that_fails_is_done_without(caplog, monkeypatch):
    calls = []

    def broken(self):
        def fails(*_):
            calls.append(self)
            raise RuntimeError("no compiler here\nand much more")

        self._compiled_call_impl = fails

    monkeypatch.setattr(nn.Module, "compile", broken)
    plain = step(engine())
    compiled = engine(compile=True)
    with caplog.at_level(logging.WARNING):
        losses, gradients = step(compiled)
    assert losses == plain[0]
    assert all(torch.equal(one, other) for one, other in zip(gradients, plain[1], strict=True))
    step(compiled)
    assert len(calls) == 1
    assert "no compiler here); this run goes on without" in caplog.text


def test_evaluation_fits_too():
    short = engine(limit=2)
    short.network.eval()
    with torch.inference_mode():
        logits = short.logits(images())
        alone = torch.cat([short.logits(image[None])["kl"] for image in images()])
    assert short.evaluation_batch == 2
    assert short.micro_batch == 0
    assert torch.allclose(logits["kl"], alone, atol=1e-6)
