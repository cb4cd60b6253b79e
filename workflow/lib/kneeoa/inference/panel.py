"""Finished runs that speak as one of images at hand: each is asked, and what they say is
combined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.hierarchy import derive_probabilities
from kneeoa.inference.combine import Combination, combine
from kneeoa.inference.finished import FinishedRun, levels_of
from kneeoa.inference.outputs import ask, finite
from kneeoa.inference.spoken import class_probabilities
from kneeoa.inference.temperature import NAME, read_temperatures
from kneeoa.network.model import Network, load
from kneeoa.network.readings import groupings
from kneeoa.statistics.inputs import Floats
from kneeoa.training.batches import in_order


@dataclass(frozen=True)
class Panel:
    """Networks with the heads that all of them have."""

    runs: tuple[FinishedRun, ...]
    networks: tuple[Network, ...]
    temperatures: tuple[Mapping[str, float], ...]
    """Of each run: head -> temperature; empty where nothing is calibrated."""
    heads: tuple[str, ...]
    levels: tuple[Level, ...]
    how: Combination
    flips: tuple[int, ...]

    def speak(
        self, arrays: Mapping[tuple[int, ...], NDArray[np.float16]], batch: int, device: torch.device
    ) -> tuple[list[tuple[str, str, Floats]], NDArray[np.bool_]]:
        """(level, head, probabilities ``[cases, classes]``) of every reading, and ``[cases]``:
        whether all networks gave numbers.

        Args:
            arrays: the same cases at the input shape of every run, ``[cases, *shape]``, one case at
                least.
            batch: cases at a time.
            device: where the networks are.
        """
        said: list[dict[str, Floats]] = []
        sane = np.ones(len(next(iter(arrays.values()))), dtype=np.bool_)
        declared = {level.name: level for level in self.levels}
        for run, network, temperatures in zip(self.runs, self.networks, self.temperatures, strict=True):
            images = arrays[tuple(run.spec.shape)]
            parts = [ask(network, images[rows], self.flips, device)[1] for rows in in_order(len(images), batch)]
            logits = {head: np.concatenate([part[head] for part in parts]) for head in self.heads}
            sane &= finite(logits)
            known = {head: np.nan_to_num(own) for head, own in logits.items()}  # cases that are not sane are told of, not used
            said.append({head: class_probabilities(own, declared[head], temperatures.get(head, 1.0)) for head, own in known.items()})
        return list(self._readings(said)), sane

    def _readings(self, said: Sequence[Mapping[str, Floats]]) -> Iterator[tuple[str, str, Floats]]:
        declared = {level.name: level for level in self.levels}
        for head in self.heads:
            own = said[0][head] if len(said) == 1 else combine([one[head] for one in said], declared[head], self.how)
            for level, groups in groupings(self.levels, head).items():
                size = len(declared[level].classes)
                yield level, head, own if level == head else derive_probabilities(own, groups, size)


def seat(runs: Sequence[FinishedRun], how: Combination, flips: tuple[int, ...], calibrated: bool, device: torch.device) -> Panel:
    """Load the weights of runs that fit each other.

    Raises:
        KneeoaError: weights are missing or damaged, the runs have no head in common, or one that is
            to be calibrated has no temperature.
    """
    temperatures = tuple(read_temperatures(run.folder, flips) if calibrated else {} for run in runs)
    networks = tuple(load(run.folder, str(device))[0] for run in runs)
    heads = tuple(head for head in networks[0].heads.levels if all(head in network.heads.levels for network in networks))
    if not heads:
        raise KneeoaError(f"The runs {[run.name for run in runs]} have no head in common; apply them apart.")
    for run, known in zip(runs, temperatures, strict=True):
        lacking = [head for head in heads if calibrated and head not in known]
        if lacking:
            raise KneeoaError(f"{run.folder / NAME}: has no temperature of head '{lacking[0]}' (its reason is in the file); leave it out.")
    return Panel(tuple(runs), networks, temperatures, heads, levels_of(runs), how, flips)
