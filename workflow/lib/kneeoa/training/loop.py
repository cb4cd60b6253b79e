"""Train the steps of one epoch, and evaluate a split without training: losses, and AUC or accuracy
for learning curves only.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from kneeoa.config.hierarchy import Level
from kneeoa.network.model import Network
from kneeoa.training.augmentation import Augmenter
from kneeoa.training.dataset import Dataset, evaluation_batches
from kneeoa.training.engine import Engine, NotFinite
from kneeoa.training.optimizer import Optimiser
from kneeoa.training.seeding import Purpose, derive_seed

TOTAL = "total"

MISSING = -1


def auc(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: the probability that a positive outscores a negative, ties counting
    half (Mann and Whitney, 1947).

    None where there is no positive or no negative.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if positives == 0 or negatives == 0:
        return None
    below = np.sort(scores[~positive])
    wins = np.searchsorted(below, scores[positive], side="left") + np.searchsorted(below, scores[positive], side="right")
    return float(wins.sum()) / (2.0 * positives * negatives)


def validation_metric(level: Level, probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> tuple[str, float] | None:
    """Compute the learning curve's measure of one level: ``auc`` where it is binary, else
    ``accuracy``.

    Args:
        level: whose labels they are.
        probabilities: ``[cases, classes]``; for a multilabel level ``[cases, findings]``, each
            called present at 0.5.
        labels: ``[cases]`` or ``[cases, findings]``, -1 where missing; those do not count.

    Returns:
        The measure's name and value, or None where it is undefined.
    """
    labelled = labels != MISSING
    if not labelled.any():
        return None
    if level.binary:
        area = auc(probabilities[labelled, 1], labels[labelled] == 1)
        return None if area is None else ("auc", area)
    predicted = probabilities.argmax(axis=1) if level.exclusive else probabilities >= 0.5
    return "accuracy", float((predicted[labelled] == labels[labelled]).mean())


@dataclass(frozen=True)
class Evaluation:
    """Losses and measures of a split with the present weights."""

    losses: dict[str, float]
    """Per level, and ``total``."""
    measures: dict[str, tuple[str, float]]
    """Per level the measure's name and value; a level where it is undefined is left out."""


@dataclass(frozen=True)
class Plan:
    """Batches, learning rates and augmentation of an epoch. All of it follows from the seed and the
    epoch's number, so an epoch can be resumed at any step.
    """

    seed: int
    """Seed of the run."""
    epoch: int
    """From 1."""
    batches: list[NDArray[np.int64]]
    """Rows of the training cases, a batch a step."""
    rates: list[float]
    """Learning rate of each step."""
    augment: Augmenter
    """The epoch's random changes of the images."""


@dataclass
class EpochState:
    """Progress of an epoch and its sums so far: with the weights and the optimiser, its whole
    state.
    """

    step: int = 0
    """Steps done."""
    sums: dict[str, float] = field(default_factory=dict)
    """Sum over cases of the loss, per level and ``total``."""
    counts: dict[str, int] = field(default_factory=dict)
    """Number of cases in each sum."""
    waited: float = 0.0
    """Seconds in which the arithmetic waited for data."""

    def add(self, name: str, cases: int, mean: float) -> None:
        """Add the ``mean`` loss of a batch's ``cases``."""
        self.sums[name] = self.sums.get(name, 0.0) + cases * mean
        self.counts[name] = self.counts.get(name, 0) + cases

    def means(self) -> dict[str, float]:
        """Mean loss so far per level and ``total``, each over the cases that have a label there."""
        return {name: total / self.counts[name] for name, total in self.sums.items() if self.counts[name]}


def steps(engine: Engine, data: Dataset, plan: Plan, tally: EpochState, optimiser: Optimiser) -> Generator[None, None, None]:
    """Train the steps of an epoch that are not done in ``tally``, one for each item requested; the
    caller may stop between any two.

    Whenever it yields, weights, optimiser and ``tally`` are those after ``tally.step`` whole steps.
    Dropout masks are a function of the epoch and the case, and other draws have a stream for each
    step, so the first step of a resumed job draws the same numbers as without the interruption.

    Args:
        engine: the network and how it computes.
        plan: batches, rates and augmentation of the epoch.
        tally: updated after each step.

    Raises:
        NotFinite: the loss or its gradient is not finite; names the cases of the batch. The state
            is that of the step before.
        KneeoaError: one case at a time does not fit into the device's memory.
    """
    network = engine.network
    network.train()
    stream = data.stream(plan.batches[tally.step :], engine.device)
    for step in range(tally.step, len(plan.batches)):
        begun = time.monotonic()
        batch = next(stream)
        tally.waited += time.monotonic() - begun
        optimiser.rate = plan.rates[step]
        keys = [derive_seed(plan.seed, Purpose.DROPOUT_MASKS, plan.epoch, int(row)) for row in batch.rows]
        seed = derive_seed(plan.seed, Purpose.DROPOUT, plan.epoch, step)
        change = partial(_augment_part, plan.augment, batch.rows)
        losses = engine.gradients(batch.images, batch.labels, keys, seed, change)
        norm = get_total_norm([parameter.grad for parameter in network.parameters() if parameter.grad is not None])
        if engine.clip:
            clip_grads_with_norm_(network.parameters(), engine.clip, norm)
        *values, length = torch.stack([*(value.double() for value in losses.values()), norm.double()]).tolist()  # one wait for the device
        batch_losses = dict(zip(losses, values, strict=True))
        if not np.isfinite([batch_losses[TOTAL], length]).all():
            engine.restore_buffers()
            raise _not_finite(batch_losses[TOTAL], length, data.names(batch.rows), plan.rates[step])
        optimiser.step()
        divisors = network.heads.terms(batch.labels)
        counts = {name: int(divisors[name]) if _labelled_count(batch.labels[name]) else 0 for name in network.heads.levels}
        for name, value in batch_losses.items():
            tally.add(name, len(batch.rows) if name == TOTAL else counts[name], value)
        tally.step = step + 1
        yield


def _augment_part(augment: Augmenter, rows: NDArray[np.int64], images: torch.Tensor, part: slice) -> torch.Tensor:
    return augment(images, rows[part])


def _not_finite(loss: float, length: float, names: str, rate: float) -> NotFinite:
    what = f"loss became {loss}" if not np.isfinite(loss) else f"loss has a gradient of length {length}"
    return NotFinite(
        f"The training {what} on the cases {names}; look at these volumes for empty or extreme values, or lower 'learning_rate' "
        f"({rate:g} at this step)."
    )


def evaluate(engine: Engine, data: Dataset, size: int, levels: Sequence[Level]) -> Evaluation:
    """Losses and measures over all cases of ``data`` at once (so that they do not depend on the
    batch ``size``); weights stay the same.

    Args:
        levels: those that supervise.

    Raises:
        NotFinite: the loss is not finite; names the cases whose logits are not finite, if any.
        KneeoaError: one case at a time does not fit into the device's memory.
    """
    network = engine.network
    collected: dict[str, list[torch.Tensor]] = {}
    with evaluation_mode(network):
        for batch in data.stream(evaluation_batches(len(data), size), engine.device):
            for level, values in engine.logits(batch.images).items():
                collected.setdefault(level, []).append(values.double().cpu())
        logits = {level: torch.cat(parts) for level, parts in collected.items()}
        losses = {name: float(value) for name, value in network.heads.loss(logits, data.labels).items()}
        probabilities = network.heads.probabilities(logits)
    if not np.isfinite(losses[TOTAL]):
        bad = ~torch.stack([torch.isfinite(values).flatten(1).all(dim=1) for values in logits.values()]).all(dim=0)
        where = f" on the cases {data.names(np.flatnonzero(bad.numpy()))}" if bad.any() else ""
        raise NotFinite(
            f"The validation loss became {losses[TOTAL]}{where}; lower 'learning_rate' or look for extreme values in the volumes."
        )
    measures = {
        level.name: validation_metric(level, probabilities[level.name].numpy(), data.labels[level.name].numpy()) for level in levels
    }
    losses = {name: value for name, value in losses.items() if name == TOTAL or _labelled_count(data.labels[name])}
    return Evaluation(losses, {name: value for name, value in measures.items() if value is not None})


@contextmanager
def evaluation_mode(network: Network) -> Iterator[None]:
    """Switch dropout off, batch normalisation to its running statistics, and gradients off;
    restored afterwards.
    """
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        network.train(training)


def _labelled_count(labels: torch.Tensor) -> int:
    return int((labels >= 0).reshape(len(labels), -1).any(dim=1).sum())
