"""Make the record beside a run's weights: code, settings, data, software, device and cost."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import torch

from kneeoa.training.checkpoint import Progress
from kneeoa.training.dataset import Dataset
from kneeoa.training.gpu_energy import driver_version

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "safetensors", "pydantic")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run's results depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def run_record(
    *,
    run: Mapping[str, Any],
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
    data: Mapping[str, Dataset],
    digests: Mapping[str, str],
    progress: Progress,
    device: torch.device,
    threads: int,
    parameters: int,
) -> dict[str, Any]:
    """Content of ``run.json``.

    Times, memory and energy cover all jobs of the run. They vary between equal runs, so no result
    may depend on them. ``data_wait_share`` is a share of the time in training steps;
    ``energy_joules`` is the whole device's.

    Args:
        run: study, arm, seed and fold (none where there are no folds).
        settings: the slice of the configuration that the run read.
        provenance: the caller's record of the code (its digest, the commit), stored unchanged.
        data: the training and validation cases by split.
        digests: their digests.
        progress: the run's final state.
        device: the device at its end.
        threads: threads of the CPU.
        parameters: number of trainable parameters of the network.
    """
    cost = progress.cost
    return {
        **run,
        "settings": dict(settings),
        "provenance": dict(provenance),
        "data": {split: {**_counts(part), "digest": digests[split]} for split, part in data.items()},
        "packages": versions(),
        "device": ", ".join(cost.devices),
        "driver": driver_version(device),
        "threads": threads,
        "parameters": parameters,
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "micro_batch": progress.micro_batch or None,
        "seconds": round(cost.seconds, 3),
        "training_seconds": round(cost.training, 3),
        "validation_seconds": round(cost.validation, 3),
        "resumptions": cost.resumptions,
        "samples_per_second": round(cost.cases / cost.training, 3) if cost.training else None,
        "data_wait_share": round(cost.waited / cost.training, 4) if cost.training else None,
        "energy_joules": None if cost.energy_joules is None else round(cost.energy_joules),
        "peak_memory_mb": {name: round(value, 1) for name, value in sorted(cost.peak_memory_mb.items())},
    }


def _counts(part: Dataset) -> dict[str, int]:
    return {"cases": len(part), "subjects": len(part.cases[["cohort", "subject"]].drop_duplicates())}
