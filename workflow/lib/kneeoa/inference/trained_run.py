"""Open finished runs outside their study: folders that hold weights and a description."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.network.model import read_spec
from kneeoa.network.spec import ModelSpec, TrainedOn


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
