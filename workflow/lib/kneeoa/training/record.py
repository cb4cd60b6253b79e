"""What is written down beside a run's weights: enough to say later what made them, and on what."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import torch

from kneeoa.training.checkpoint import Progress
from kneeoa.training.dataset import Dataset
from kneeoa.training.device import describe, peak_memory_mb

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "safetensors", "pydantic")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a run's numbers pass through."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def record(
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
    seconds: float,
) -> dict[str, Any]:
    """The content of ``run.json``.

    Args:
        run: study, arm and seed.
        settings: the slice of the configuration that the run read.
        provenance: what the caller knows of the code (its digest, the commit), kept as it is.
        data: the training and validation cases by split.
        digests: their digests.
        progress: where the run ended.
        device: what it ran on.
        threads: of the CPU.
        parameters: trainable numbers of the network.
        seconds: wall time of the whole job, reading included (``epoch_seconds`` counts the epochs of resumed jobs too).
    """
    seen = progress.epoch * len(data["train"])
    return {
        **run,
        "settings": dict(settings),
        "provenance": dict(provenance),
        "data": {split: {**_counts(part), "digest": digests[split]} for split, part in data.items()},
        "packages": versions(),
        "device": describe(device),
        "threads": threads,
        "parameters": parameters,
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "seconds": round(seconds, 3),
        "epoch_seconds": round(progress.seconds, 3),
        "samples_per_second": round(seen / progress.seconds, 3) if progress.seconds else None,
        "peak_memory_mb": {name: round(value, 1) for name, value in peak_memory_mb(device).items()},
    }


def _counts(part: Dataset) -> dict[str, int]:
    return {"cases": len(part), "subjects": len(part.cases[["cohort", "subject"]].drop_duplicates())}
