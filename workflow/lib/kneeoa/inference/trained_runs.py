"""Finished runs outside their study: opened from their folders, and the predictions of several
averaged on images in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level, class_groupings
from kneeoa.errors import KneeoaError
from kneeoa.inference.ensemble import Combination, combine
from kneeoa.inference.outputs import all_finite, class_probabilities, forward_batch
from kneeoa.inference.temperature import NAME, read_temperatures
from kneeoa.level_derivation import derive_probabilities
from kneeoa.network.model import Network, load, read_spec
from kneeoa.network.spec import ModelSpec, TrainedOn
from kneeoa.statistics.inputs import Floats
from kneeoa.training.dataset import evaluation_batches


@dataclass(frozen=True)
class TrainedRun:
    """A run's description, read before its weights are."""

    folder: Path
    name: str
    """``<arm>/seed-<seed>`` where ``run.json`` lies beside the weights, else the folder's own
    name.
    """
    spec: ModelSpec
    trained_on: TrainedOn


def open_runs(folders: Sequence[Path]) -> list[TrainedRun]:
    """Open the folders of runs that are to be applied together.

    Raises:
        KneeoaError: a folder is given twice, or is no run's; a run does not say how its images were
            prepared; or runs were trained on images that were prepared differently, or at levels of
            one name with other classes.
    """
    runs = [_open(folder) for folder in folders]
    first = runs[0]
    for place, run in enumerate(runs):
        if run.folder.resolve() in {other.folder.resolve() for other in runs[:place]}:
            raise KneeoaError(f"{run.folder}: is given twice; each run counts once.")
        if run.trained_on.canonical != first.trained_on.canonical:
            raise KneeoaError(
                f"{run.folder} and {first.folder} were trained on images that were prepared differently "
                f"(views '{run.trained_on.view}' and '{first.trained_on.view}'); apply them apart."
            )
    levels_of(runs)
    return runs


def levels_of(runs: Sequence[TrainedRun]) -> tuple[Level, ...]:
    """The levels of all runs, coarse to fine: those of the first run, then those that others add.

    Raises:
        KneeoaError: two runs mean different things by one name.
    """
    levels: dict[str, Level] = {}
    for run in runs:
        for level in run.spec.levels:
            if levels.setdefault(level.name, level) != level:
                raise KneeoaError(f"{run.folder}: its level '{level.name}' is not that of {runs[0].folder}; apply them apart.")
    return tuple(levels.values())


def _open(folder: Path) -> TrainedRun:
    spec = read_spec(folder)
    if spec.trained_on is None:
        raise KneeoaError(
            f"{folder}: its model.json does not say how its images were prepared, as it was written by an older kneeoa; train the run "
            "again, or predict the new images as a cohort with the role external of its study."
        )
    return TrainedRun(folder, _run_name(folder), spec, spec.trained_on)


def _run_name(folder: Path) -> str:
    try:
        content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return f"{content['arm']}/seed-{int(content['seed'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return folder.resolve().name


@dataclass(frozen=True)
class RunEnsemble:
    """Loaded networks and the heads that all of them have."""

    runs: tuple[TrainedRun, ...]
    networks: tuple[Network, ...]
    temperatures: tuple[Mapping[str, float], ...]
    """Temperatures of each run, by head; empty where nothing is calibrated."""
    heads: tuple[str, ...]
    levels: tuple[Level, ...]
    how: Combination
    flips: tuple[int, ...]
    weights: Mapping[str, Floats]
    """Weights of the runs of a weighted ensemble, by head."""

    def predict(
        self, arrays: Mapping[tuple[int, ...], NDArray[np.float16]], batch: int, device: torch.device
    ) -> tuple[list[tuple[str, str, Floats]], NDArray[np.bool_]]:
        """Predict cases: (level, head, probabilities ``[cases, classes]``) of every level that each
        head gives, and ``[cases]``: whether all networks' logits are finite.

        Args:
            arrays: the same cases at the input shape of every run, ``[cases, *shape]``, one case at
                least.
            batch: cases at a time.
            device: where the networks are.
        """
        by_run: list[dict[str, Floats]] = []
        finite_cases = np.ones(len(next(iter(arrays.values()))), dtype=np.bool_)
        declared = {level.name: level for level in self.levels}
        for run, network, temperatures in zip(self.runs, self.networks, self.temperatures, strict=True):
            images = arrays[tuple(run.spec.shape)]
            parts = [forward_batch(network, images[rows], self.flips, device)[1] for rows in evaluation_batches(len(images), batch)]
            logits = {head: np.concatenate([part[head] for part in parts]) for head in self.heads}
            finite_cases &= all_finite(logits)
            finite_logits = {head: np.nan_to_num(values) for head, values in logits.items()}  # the caller drops cases that are not finite
            probabilities = {}
            for head, values in finite_logits.items():
                probabilities[head] = class_probabilities(values, declared[head], temperatures.get(head, 1.0))
            by_run.append(probabilities)
        return list(self._readings(by_run)), finite_cases

    def _readings(self, by_run: Sequence[Mapping[str, Floats]]) -> Iterator[tuple[str, str, Floats]]:
        declared = {level.name: level for level in self.levels}
        for head in self.heads:
            combined = by_run[0][head] if len(by_run) == 1 else self._combine(head, by_run)
            for level, groups in class_groupings(self.levels, head).items():
                size = len(declared[level].classes)
                yield level, head, combined if level == head else derive_probabilities(combined, groups, size)

    def _combine(self, head: str, by_run: Sequence[Mapping[str, Floats]]) -> Floats:
        level = {level.name: level for level in self.levels}[head]
        return combine([one[head] for one in by_run], level, self.how, self.weights.get(head))


def load_ensemble(
    runs: Sequence[TrainedRun],
    how: Combination,
    flips: tuple[int, ...],
    calibrated: bool,
    device: torch.device,
    weights: Mapping[str, Floats] | None = None,
) -> RunEnsemble:
    """Load the weights of runs that fit each other; ``weights`` are those of a weighted ensemble,
    by head.

    Raises:
        KneeoaError: weights are missing or damaged, the runs have no head in common, or one that is
            to be calibrated has no temperature.
    """
    temperatures = tuple(read_temperatures(run.folder, flips) if calibrated else {} for run in runs)
    networks = tuple(load(run.folder, str(device))[0] for run in runs)
    heads = tuple(head for head in networks[0].heads.levels if all(head in network.heads.levels for network in networks))
    if not heads:
        raise KneeoaError(f"The runs {[run.name for run in runs]} have no head in common; apply them apart.")
    for run, fitted in zip(runs, temperatures, strict=True):
        lacking = [head for head in heads if calibrated and head not in fitted]
        if lacking:
            raise KneeoaError(f"{run.folder / NAME}: has no temperature of head '{lacking[0]}' (its reason is in the file); leave it out.")
    lacking = [head for head in heads if how == "weighted" and len(runs) > 1 and head not in (weights or {})]
    if lacking:
        raise KneeoaError(f"A weighted ensemble needs the weights of the head '{lacking[0]}'; name the .weights.json of one that has it.")
    return RunEnsemble(tuple(runs), networks, temperatures, heads, levels_of(runs), how, flips, weights or {})
