"""The state of an unfinished run, so that a killed job goes on where it was instead of starting over.

The file is not declared to the workflow, which would delete it with a failed job's outputs, so it may outlive the code or data
it came from: it carries a fingerprint of all that decides a run's result, and another fingerprint means a fresh start.
Tensors and JSON in one safetensors file: one rename makes it whole, and nothing is pickled.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from kneeoa.files import atomic_path

logger = logging.getLogger(__name__)

NAME = "last.ckpt.safetensors"


@dataclass
class Progress:
    """How far a run has come. Random streams are functions of seed and epoch, so they are not part of it."""

    epoch: int = 0
    """Epochs done."""
    best_epoch: int = 0
    """The epoch whose weights are kept (0: none yet)."""
    best_loss: float = float("inf")
    """Its validation loss."""
    seconds: float = 0.0
    """Wall time spent on the epochs done."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """Rows of the HISTORY table without arm and seed."""
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    """The kept weights, on the CPU (empty while the last ones are the ones to keep)."""


def save(folder: Path, fingerprint: str, progress: Progress, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Write the state atomically into ``folder``."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in progress.best.items()}
    for parameter, values in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{parameter}.{name}": value for name, value in values.items()}
    state = {
        "fingerprint": fingerprint,
        "epoch": progress.epoch,
        "best_epoch": progress.best_epoch,
        "best_loss": progress.best_loss,
        "seconds": progress.seconds,
        "history": progress.history,
    }
    with atomic_path(folder / NAME) as temporary:
        save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, temporary, {"state": json.dumps(state)})


def resume(folder: Path, fingerprint: str, network: nn.Module, optimiser: torch.optim.Optimizer) -> Progress:
    """Put the state in ``folder`` into ``network`` and ``optimiser``; a fresh :class:`Progress` where there is none that fits."""
    path = folder / NAME
    if not path.exists():
        return Progress()
    try:
        with safe_open(path, framework="pt") as stream:
            state = json.loads((stream.metadata() or {})["state"])
            if state.pop("fingerprint") != fingerprint:
                logger.warning("%s is of another configuration, code or data: training starts afresh", path)
                return Progress()
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, KeyError, ValueError) as error:
        logger.warning("%s cannot be read (%s): training starts afresh", path, error)
        return Progress()
    network.load_state_dict(_part(tensors, "network."))
    moments = _moments(_part(tensors, "optimiser."), optimiser)
    optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
    progress = Progress(**state, best=_part(tensors, "best."))
    logger.info("training goes on after epoch %d, found in %s", progress.epoch, path)
    return progress


def remove(folder: Path) -> None:
    """Remove the state of a run that has ended well."""
    (folder / NAME).unlink(missing_ok=True)


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _moments(flat: dict[str, torch.Tensor], optimiser: torch.optim.Optimizer) -> dict[int, dict[str, torch.Tensor]]:
    """The optimiser's state by parameter, each tensor laid out in memory as its parameter is: a fused step walks both side by side."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    nested: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in flat.items():
        number, key = name.split(".", 1)
        parameter = parameters[int(number)]
        placed = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
        nested.setdefault(int(number), {})[key] = placed.detach()
    return nested
