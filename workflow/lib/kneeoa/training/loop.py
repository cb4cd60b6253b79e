"""One epoch of training, and one look at a split without training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError
from kneeoa.network.model import Network
from kneeoa.training.augmentation import Augmenter
from kneeoa.training.batches import in_order
from kneeoa.training.dataset import Dataset
from kneeoa.training.measures import measure

TOTAL = "total"


@dataclass(frozen=True)
class Evaluation:
    """What a split's cases look like to the network as it stands."""

    losses: dict[str, float]
    """Per level, and ``total``."""
    measures: dict[str, tuple[str, float]]
    """Per level the measure's name and value; a level where it is undefined is left out."""


def train_epoch(
    network: Network,
    data: Dataset,
    batches: list[NDArray[np.int64]],
    optimiser: torch.optim.Optimizer,
    rates: list[float],
    augment: Augmenter,
    device: torch.device,
    autocast: bool,
) -> dict[str, float]:
    """One pass over ``batches``, step i at learning rate ``rates[i]``.

    Args:
        augment: the epoch's random changes of the images.
        autocast: run the network, but not the loss, in bfloat16 where that is safe.

    Returns:
        Mean loss per level and ``total``, each over the cases that have a label there, as the weights moved.

    Raises:
        KneeoaError: the loss is not finite; names the cases of the batch.
    """
    network.train()
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for step, (rows, rate) in enumerate(zip(batches, rates, strict=True)):
        for group in optimiser.param_groups:
            group["lr"] = rate
        images, labels = data.batch(rows, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
            output = network(augment(images, rows, step))
        losses = network.heads.loss(_widened(output.logits), labels)
        values = {name: float(value.detach()) for name, value in losses.items()}
        if not np.isfinite(values[TOTAL]):
            raise KneeoaError(
                f"The training loss became {values[TOTAL]} on the cases {data.names(rows)}; look at these volumes for "
                f"empty or extreme values, or lower 'learning_rate' ({rate:g} at this step)."
            )
        optimiser.zero_grad(set_to_none=True)
        losses[TOTAL].backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        for name, value in values.items():
            cases = len(rows) if name == TOTAL else _known(labels[name])
            sums[name] = sums.get(name, 0.0) + cases * value
            counts[name] = counts.get(name, 0) + cases
    return {name: total / counts[name] for name, total in sums.items() if counts[name]}


def evaluate(network: Network, data: Dataset, size: int, kinds: Mapping[str, str], device: torch.device) -> Evaluation:
    """Loss and measures over all cases of ``data`` at once (so that they do not depend on the batch ``size``), weights untouched.

    Args:
        kinds: the kind of each supervising level.

    Raises:
        KneeoaError: the loss is not finite.
    """
    collected: dict[str, list[torch.Tensor]] = {}
    with evaluation_mode(network):
        for rows in in_order(len(data), size):
            images, _ = data.batch(rows, device)
            for level, values in network(images).logits.items():
                collected.setdefault(level, []).append(values.double().cpu())
        logits = {level: torch.cat(parts) for level, parts in collected.items()}
        losses = {name: float(value) for name, value in network.heads.loss(logits, data.labels).items()}
        probabilities = network.heads.probabilities(logits)
    if not np.isfinite(losses[TOTAL]):
        raise KneeoaError(f"The validation loss became {losses[TOTAL]}; lower 'learning_rate' or look for extreme values in the volumes.")
    measures = {name: measure(kind, probabilities[name].numpy(), data.labels[name].numpy()) for name, kind in kinds.items()}
    losses = {name: value for name, value in losses.items() if name == TOTAL or _known(data.labels[name])}
    return Evaluation(losses, {name: value for name, value in measures.items() if value is not None})


@contextmanager
def evaluation_mode(network: Network) -> Iterator[None]:
    """Dropout off, batch normalisation on its running statistics, no gradients; put back afterwards."""
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        network.train(training)


def _widened(logits: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {level: values.float() for level, values in logits.items()}


def _known(labels: torch.Tensor) -> int:
    return int((labels >= 0).reshape(len(labels), -1).any(dim=1).sum())
