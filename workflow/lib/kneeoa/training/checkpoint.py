"""Save and restore the state of an unfinished run, so that a killed job resumes between any two
steps instead of starting over.

The file is not declared to the workflow, which would delete it with a failed job's outputs, so it
may outlive the code or data that it came from. It carries a fingerprint of all that decides a run's
result; where that differs, training starts afresh. Tensors and JSON are in one safetensors file, so
that one rename completes it and nothing is pickled.

Weights, buffers, the optimiser's moments, the step of the epoch and the sums so far are the whole
state. The schedule, the order of the cases and every random stream follow from the seed, the epoch
and the step (:mod:`kneeoa.training.seeding`).
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from kneeoa.atomic_io import atomic_path, remove_abandoned
from kneeoa.network.model import checksum
from kneeoa.training.cost import Cost
from kneeoa.training.engine import all_finite
from kneeoa.training.loop import EpochState
from kneeoa.training.optimizer import Optimiser

logger = logging.getLogger(__name__)

NAME = "last.ckpt.safetensors"

Fingerprint = Mapping[str, str]
"""Name of something that decides a run's result -> its digest."""


@dataclass
class Progress:
    """Progress of a run."""

    epoch: int = 0
    """Epochs done."""
    tally: EpochState = field(default_factory=EpochState)
    """State of the epoch after these."""
    micro_batch: int = 0
    """Cases at a time, from the configuration or after an out-of-memory error (0: the whole
    batch).
    """
    best_epoch: int = 0
    """The epoch whose weights are kept (0: none yet)."""
    best_loss: float = float("inf")
    """Its validation loss."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the HISTORY table without arm and seed."""
    cost: Cost = field(default_factory=Cost)
    """Time, energy and memory used so far by all of the run's jobs."""
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    """The kept weights, on the CPU (empty while the last ones are the ones to keep)."""


def save(folder: Path, fingerprint: Fingerprint, progress: Progress, network: nn.Module, optimiser: Optimiser) -> bool:
    """Write the state atomically into ``folder``.

    Returns:
        False where weights or moments are not finite: nothing is written then, and the last good
        state stays.
    """
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in progress.best.items()}
    for parameter, values in optimiser.state.items():
        tensors |= {f"optimiser.{parameter}.{name}": value for name, value in values.items()}
    if not all_finite(tensors.values()):
        logger.warning("the weights are no longer finite, so this state is not written")
        return False
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    state = {item.name: getattr(progress, item.name) for item in dataclasses.fields(Progress) if item.name != "best"}
    state |= {
        "checksum": checksum(tensors),
        "fingerprint": dict(fingerprint),
        "tally": dataclasses.asdict(progress.tally),
        "cost": dataclasses.asdict(progress.cost),
    }
    with atomic_path(folder / NAME) as temporary:
        save_file(tensors, temporary, {"state": json.dumps(state)})
    return True


def resume(folder: Path, fingerprint: Fingerprint, network: nn.Module, optimiser: Optimiser) -> Progress:
    """Restore the state in ``folder`` to ``network`` and ``optimiser``; a fresh :class:`Progress`
    where no state fits.
    """
    path = folder / NAME
    if not path.exists():
        return Progress()
    try:
        with safe_open(path, framework="pt") as stream:
            state = json.loads((stream.metadata() or {})["state"])
            other = _differences(state.pop("fingerprint"), fingerprint)
            if other:
                logger.warning("%s is of another %s: training starts afresh", path, ", ".join(other))
                return Progress()
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (not a mapping)
        if state.pop("checksum") != checksum(tensors):
            raise ValueError("its bytes have changed since it was written")
        tally, cost = EpochState(**state.pop("tally")), Cost(**state.pop("cost"))
        progress = Progress(**state, tally=tally, cost=cost, best=_part(tensors, "best."))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        logger.warning("%s cannot be read (%s): training starts afresh", path, error)
        return Progress()
    network.load_state_dict(_part(tensors, "network."))
    optimiser.state = _moments(_part(tensors, "optimiser."), optimiser)
    progress.cost.resumptions += 1
    logger.info("training goes on after epoch %d step %d, found in %s", progress.epoch, progress.tally.step, path)
    return progress


def remove(folder: Path) -> None:
    """Remove the state of a run that has finished, and temporary files of writers that were
    killed.
    """
    (folder / NAME).unlink(missing_ok=True)
    remove_abandoned(folder / NAME)


def _differences(stored: Fingerprint, wanted: Fingerprint) -> list[str]:
    return [name for name in sorted({*stored, *wanted}) if stored.get(name) != wanted.get(name)]


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _moments(flat: dict[str, torch.Tensor], optimiser: Optimiser) -> dict[int, dict[str, torch.Tensor]]:
    """The optimiser's state by parameter, each tensor with its parameter's memory layout, which a
    fused step needs.
    """
    nested: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in flat.items():
        number, key = name.split(".", 1)
        parameter = optimiser.parameters[int(number)]
        placed = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value.to(parameter.device)
        nested.setdefault(int(number), {})[key] = placed.detach()
    return nested
