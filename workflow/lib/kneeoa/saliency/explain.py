"""Make saliency maps of one run's test cases by one method, for a fixed target, stored small."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from kneeoa.atomic_io import digest
from kneeoa.config.analysis import Saliency
from kneeoa.errors import KneeoaError
from kneeoa.network.model import Network, load
from kneeoa.saliency.cases import explained_cases, explained_score, true_classes
from kneeoa.saliency.methods import registry
from kneeoa.saliency.methods.interface import Target
from kneeoa.saliency.storage import create_maps, kept_shape, pack, split_signs
from kneeoa.tables.saliency import SALIENCY
from kneeoa.training.device import reproducible
from kneeoa.training.shards import Shards

_log = logging.getLogger(__name__)

TRAINED = "trained"


@dataclass(frozen=True)
class SaliencyRun:
    """The run and the method of its maps: what all rows of the index have in common."""

    study: str
    arm: str
    seed: int
    view: str
    method: str
    target: str
    """A level, or a level and a class of it: ``oa``, ``findings.osteophytes``."""
    saliency: Saliency
    batch: int
    """Cases explained together; it limits memory and does not change the noise."""


@dataclass(frozen=True)
class CaseMap:
    """One case's map: its row of the index, but for ``row``, and its values ``[2, *kept]`` (for and
    against the score).
    """

    row: dict[str, Any]
    stored: NDArray[np.float16]


def explain_run(
    *,
    run: SaliencyRun,
    folder: Path,
    arrays: list[Path],
    indices: list[Path],
    splits: list[Path],
    labels: list[Path],
    threads: int,
    out_maps: Path,
    out_index: Path,
) -> None:
    """Explain the test cases of every cohort given.

    Args:
        run: the run, the method and the score.
        folder: the run's (``weights.safetensors``, ``model.json``).
        arrays: the arm's input arrays, float16 ``[rows, *shape]``.
        indices: the VOLUMES table of each array.
        splits: SPLITS tables.
        labels: LABELS tables, for a target level of several classes of which none is named; a case
            without its label is left out.
        threads: threads of the arithmetic.
        out_maps: ``.npy`` to write: float16 ``[cases, 2, *ceil(shape / keep)]``, see
            :mod:`kneeoa.saliency.storage`.
        out_index: SALIENCY table to write.

    Raises:
        KneeoaError: a file is not what it should be, no head predicts the target, or a map is not
            finite.
    """
    with reproducible(threads) as device:
        network, spec = load(folder, str(device))
        shards = Shards(arrays, indices, spec.shape)
        score = explained_score(run.target, network)
        cases = explained_cases(shards.locate(splits), run.saliency.cases)
        cases, classes = true_classes(cases, score, labels)
        rows: list[dict[str, Any]] = []
        with create_maps(out_maps, len(cases), kept_shape(spec.shape, run.saliency.keep)) as maps:
            for case in explain_cases(run, network, shards, cases, classes, device):
                maps[len(rows)] = case.stored
                rows.append(case.row | {"row": len(rows), "weights": TRAINED})
        _log.info("explained %d cases by %s", len(rows), run.method)
    SALIENCY.write(out_index, rows)


def explain_cases(
    run: SaliencyRun, network: Network, shards: Shards, cases: pd.DataFrame, classes: NDArray[np.int64] | None, device: torch.device
) -> Iterator[CaseMap]:
    """Yield the map of each of ``cases``, in their order; volumes are read, and maps made, a batch
    at a time.

    Args:
        run: the run and the method.
        network: in evaluation mode, on ``device``.
        shards: where the cases' volumes lie.
        cases: columns cohort, case_id, file, row.
        classes: the class of each case that is explained; None for a binary level or a class that
            is named.
        device: where the arithmetic runs.

    Raises:
        KneeoaError: a map or a score is not finite.
    """
    network.requires_grad_(False)
    explain = registry.load(run.method)
    explained = explained_score(run.target, network)
    kept = kept_shape(shards.shape, run.saliency.keep)
    for start in range(0, len(cases), run.batch):
        chosen = cases.iloc[start : start + run.batch]
        names = list(zip(chosen["cohort"], chosen["case_id"], strict=True))
        voxels = np.stack([shards.read(file, row) for file, row in zip(chosen["file"], chosen["row"], strict=True)])
        images = torch.from_numpy(voxels[:, None].astype(np.float32)).to(device)
        truth = None if classes is None else torch.from_numpy(classes[start : start + run.batch]).to(device)
        target = Target(network, explained.level.name, explained.head, truth, explained.named)
        generators = [np.random.default_rng(int(digest([run.seed, *name]), 16)) for name in names]
        signed = explain(target, images, generators, run.saliency).cpu().numpy()
        with torch.no_grad():
            scores = target(images).tolist()
        for (cohort, case_id), one, score in zip(names, signed, scores, strict=True):
            if not np.isfinite(one).all() or not np.isfinite(score):
                raise KneeoaError(f"{run.arm}, seed {run.seed}: the map of case '{case_id}' is not finite; did the training diverge?")
            if not one.any():
                _log.warning("the map of case '%s' is zero everywhere", case_id)
            stored, scale = pack(split_signs(one, kept))
            row = {"study": run.study, "arm": run.arm, "seed": run.seed, "cohort": cohort, "case_id": case_id, "view": run.view}
            row |= {"method": run.method, "target": explained.label, "score": score, "scale": scale}
            yield CaseMap(row, stored)
