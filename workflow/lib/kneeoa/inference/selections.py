"""Write the locations that a run's plug-in chose in each test case, and their scores."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from kneeoa.backbones import registry as backbones
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.inference.predict import image_batches, load_run
from kneeoa.labels.level_labels import LevelLabels, read_labels
from kneeoa.plugins import registry as plugins
from kneeoa.plugins.interface import PluginHeads
from kneeoa.plugins.location_grids import location_grid
from kneeoa.tables.selections import SELECTIONS
from kneeoa.training.dataset import evaluation_batches
from kneeoa.training.device import reproducible

logger = logging.getLogger(__name__)

MAPPED = 4
"""Cases of each grade and cohort whose scores are kept at every location, for figures."""


def write_selections(
    *,
    study: str,
    arm: str,
    seed: int,
    view: str,
    run: Path,
    arrays: Sequence[Path],
    indices: Sequence[Path],
    splits: Sequence[Path],
    labels: Sequence[Path],
    levels: tuple[Level, ...],
    pictured: str,
    batch: int,
    threads: int,
    out: Path,
) -> None:
    """Write SELECTIONS of every test case, sorted by cohort, case, level and map.

    Scores are kept at every location for the first cases of each grade alone, in the order of their
    names.

    Args:
        study: name of the study.
        arm: name of the arm.
        seed: seed of the run.
        view: of the images.
        run: folder of the run: ``weights.safetensors`` and ``model.json``.
        arrays: float16 ``.npy`` shards ``[rows, *shape]``.
        indices: the VOLUMES table of each of ``arrays``.
        splits: SPLITS tables.
        labels: LABELS tables.
        levels: the study's hierarchy, coarse to fine.
        pictured: the level over whose grades figures spread their example cases.
        batch: cases at a time.
        threads: CPU threads.
        out: table to write.

    Raises:
        KneeoaError: the run has no plug-in, or one that chooses nothing; the files do not fit the
            network or each other, or a score is not finite.
    """
    with reproducible(threads) as device:
        network, spec, shards, located = load_run(run, device, arrays, indices, splits, levels)
        heads = network.heads
        if not isinstance(heads, PluginHeads) or spec.plugin is None:
            raise KneeoaError(f"{run}: this run has no plug-in, so it chooses no locations.")
        cases = located[located["split"] == "test"].reset_index(drop=True)
        mapped = _mapped(cases, read_labels(labels, cases, levels)[pictured])
        grids = backbones.map_sizes(spec.backbone, spec.options, spec.taken)
        places = {size: location_grid(size, grids, len(spec.shape)) for size in heads.maps.sizes}
        window = None if spec.crop is None else [limit for part in network.window(spec.shape) for limit in (part.start, part.stop)]
        identity: dict[str, Any] = {"study": study, "arm": arm, "seed": seed, "view": view, "window": window}
        rows: list[dict[str, Any]] = []
        batches = zip(evaluation_batches(len(cases), batch), image_batches(shards, cases, batch), strict=True)
        for batch_rows, images in batches:
            chosen = cases.iloc[batch_rows]
            with torch.inference_mode():
                maps = network.features(torch.from_numpy(images[:, None]).to(device).float()).maps
                selections = plugins.select(spec.plugin["kind"], heads, maps)
            for level, each in selections.items():
                for size, selection in zip(heads.maps.sizes, each, strict=True):
                    place = places[size]
                    where = {"grid": [] if place is None else list(place.cells), "before": 0 if place is None else place.before}
                    of_map = {"level": level, "map": selection.name, "locations": selection.scores.shape[1], **where}
                    scores, indices_ = selection.scores.cpu().numpy(), selection.chosen.cpu().numpy()
                    rows += [identity | of_map | row for row in _rows(chosen, scores, indices_, mapped[batch_rows])]
    wrong = next((row for row in rows if not np.isfinite(row["scores"]).all()), None)
    if wrong is not None:
        raise KneeoaError(f"{run}: a score of case {wrong['case_id']} of cohort {wrong['cohort']} is not finite; train the run again.")
    table = pd.DataFrame(rows, columns=[name for name in SELECTIONS.schema.names if name != "fold"])
    SELECTIONS.write(out, table.sort_values(["cohort", "case_id", "level", "map"], ignore_index=True))
    logger.info("chosen locations of %d cases", len(cases))


def _mapped(cases: pd.DataFrame, labels: LevelLabels) -> NDArray[np.bool_]:
    """Whether a case is among the first of its grade (for a multilabel level, of its number of
    findings) and cohort; a case without a label is not.
    """
    grade = labels.values if labels.values.ndim == 1 else (labels.values > 0).sum(axis=1)
    labelled = labels.labelled()
    first: NDArray[np.bool_] = cases[labelled].assign(grade=grade[labelled]).groupby(["cohort", "grade"]).cumcount().to_numpy() < MAPPED
    mapped = np.zeros(len(cases), dtype=np.bool_)
    mapped[labelled] = first
    return mapped


def _rows(
    cases: pd.DataFrame, scores: NDArray[np.float32], chosen: NDArray[np.int64], mapped: NDArray[np.bool_]
) -> Iterator[dict[str, Any]]:
    """A row for each case of a batch, of one level and map."""
    names = cases[["cohort", "case_id", "subject"]].itertuples(index=False)
    for (cohort, case_id, subject), everywhere, places, whole in zip(names, scores, chosen, mapped, strict=True):
        yield {
            "cohort": cohort,
            "case_id": case_id,
            "subject": subject,
            "chosen": places.astype(np.int32),
            "scores": everywhere[places],
            "score_map": everywhere if whole else None,
        }
