"""Predict every case by each part of a run's plug-in by itself, beside the answer that the parts
give together.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.heads.interface import class_probabilities
from kneeoa.inference.predict import image_batches, label_lists, load_run
from kneeoa.labels.level_labels import read_labels
from kneeoa.plugins.interface import PluginHeads
from kneeoa.tables.part_predictions import PART_PREDICTIONS
from kneeoa.training.device import reproducible

logger = logging.getLogger(__name__)


def predict_parts(
    *,
    study: str,
    arm: str,
    seed: int,
    run: Path,
    arrays: Sequence[Path],
    indices: Sequence[Path],
    splits: Sequence[Path],
    labels: Sequence[Path],
    levels: tuple[Level, ...],
    batch: int,
    threads: int,
    out: Path,
) -> None:
    """Write PART_PREDICTIONS of every case of every split, sorted by cohort, case, level and part.

    Each part answers at the levels that supervise, without test-time flips or temperature. Nothing
    is chosen by these results: the answer is always the mean of all parts.

    Args:
        study: name of the study.
        arm: name of the arm.
        seed: seed of the run.
        run: folder of the run: ``weights.safetensors`` and ``model.json``.
        arrays: float16 ``.npy`` shards ``[rows, *shape]``.
        indices: the VOLUMES table of each of ``arrays``.
        splits: SPLITS tables.
        labels: LABELS tables.
        levels: the study's hierarchy, coarse to fine.
        batch: cases at a time.
        threads: CPU threads.
        out: table to write.

    Raises:
        KneeoaError: the run has no plug-in, the files do not fit the network or each other, or a
            prediction is not finite.
    """
    with reproducible(threads) as device:
        network, _, shards, cases = load_run(run, device, arrays, indices, splits, levels)
        heads = network.heads
        if not isinstance(heads, PluginHeads):
            raise KneeoaError(f"{run}: this run has no plug-in, so it has no parts to predict with.")
        truth = read_labels(labels, cases, levels)
        collected: dict[str, list[torch.Tensor]] = {name: [] for name in heads.levels}
        with torch.inference_mode():
            for images in image_batches(shards, cases, batch):
                outputs = network(torch.from_numpy(images[:, None]).to(device).float()).logits
                for name, parts in collected.items():
                    parts.append(heads.part_class_logits(name, outputs[name].double()).cpu())
    identity = cases[["cohort", "split", "case_id", "subject"]].assign(study=study, arm=arm, seed=seed)
    tables = []
    for name, level in heads.levels.items():
        logits = torch.cat(collected[name])
        if not torch.isfinite(logits).all():
            raise KneeoaError(f"{run}: a part's output at level '{name}' is not finite; train the run again.")
        for number, part in enumerate(heads.parts_of(name)):
            probabilities = class_probabilities(logits[:, number], level).numpy()
            columns = {"level": name, "part": part, "truth": label_lists(truth[name]), "probabilities": list(probabilities)}
            tables.append(identity.assign(**columns))
    table = pd.concat(tables, ignore_index=True).sort_values(["cohort", "case_id", "level", "part"], ignore_index=True)
    PART_PREDICTIONS.write(out, table)
    logger.info("%d cases predicted by each part of the plug-in", len(cases))
