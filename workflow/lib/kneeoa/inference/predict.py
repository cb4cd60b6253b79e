"""Predictions and embeddings of every case of a run: nothing is learned, chosen or calibrated here."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.hierarchy import derive_probabilities
from kneeoa.network.model import Network, load
from kneeoa.network.readings import groupings
from kneeoa.tables.embeddings import embeddings
from kneeoa.tables.predictions import PREDICTIONS
from kneeoa.training.batches import in_order
from kneeoa.training.device import reproducible
from kneeoa.training.labels import MISSING, LevelLabels, read_labels
from kneeoa.training.shards import Shards

logger = logging.getLogger(__name__)


def predict(
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
    out_predictions: Path,
    out_embeddings: Path,
) -> None:
    """Predict every case of every split (train, val, test, external) with the weights of ``run``, without augmentation.

    Writes the PREDICTIONS table, sorted by cohort, case_id, level and head: each head at its own level, and at every coarser level of
    ``levels`` by summing its class probabilities; and the table of embeddings, sorted by cohort and case_id.

    Args:
        study: name of the study.
        arm: name of the arm.
        seed: seed of the run.
        run: folder of the run: ``weights.safetensors`` and ``model.json``.
        arrays: float16 ``.npy`` shards ``[rows, *shape]``.
        indices: the VOLUMES table of each of ``arrays``.
        splits: SPLITS tables.
        labels: LABELS tables: the truth, null where nobody read it and no finer label implies it.
        levels: the study's hierarchy, coarse to fine.
        batch: cases at a time.
        threads: CPU threads.
        out_predictions: table of predictions.
        out_embeddings: table of embeddings.

    Raises:
        KneeoaError: the files do not fit the network or each other, or a prediction is not finite.
    """
    with reproducible(threads) as device:
        network, spec = load(run, str(device))
        _check_levels(network, levels, run)
        shards = Shards(arrays, indices, spec.shape)
        cases = shards.locate(splits)
        truth = read_labels(labels, cases, levels)
        outputs = list(_outputs(network, shards, cases, batch, device))
        embedding = np.concatenate([part for part, _ in outputs])
        logits = {head: torch.cat([part[head] for _, part in outputs]) for head in network.heads.levels}
        _check_finite(embedding, logits, cases, run)
        rows = _rows(Network(network.backbone, network.heads, levels), logits, levels, cases, truth)
    identity: dict[str, Any] = {"study": study, "arm": arm, "seed": seed}
    table = rows.assign(**identity, members=None, calibrated=False)
    PREDICTIONS.write(out_predictions, table.sort_values(["cohort", "case_id", "level", "head"], ignore_index=True))
    spoken = cases[["cohort", "split", "case_id", "subject"]].assign(**identity, embedding=list(embedding))
    embeddings(embedding.shape[1]).write(out_embeddings, spoken)
    logger.info("%d cases predicted at %s", len(cases), ", ".join(sorted(set(rows["level"]))))


def _outputs(
    network: Network, shards: Shards, cases: pd.DataFrame, batch: int, device: torch.device
) -> Iterator[tuple[NDArray[np.float32], dict[str, torch.Tensor]]]:
    """Embeddings (float32 ``[batch, width]``) and logits (float64) of batch after batch; volumes are read as they are needed."""
    places = cases[["file", "row"]].to_numpy()
    with torch.inference_mode():
        for rows in in_order(len(cases), batch):
            images = np.stack([shards.read(file, row) for file, row in places[rows]])[:, None]
            output = network(torch.from_numpy(images).to(device).float())
            yield output.embedding.float().cpu().numpy(), {head: values.double().cpu() for head, values in output.logits.items()}


def _rows(
    network: Network, logits: dict[str, torch.Tensor], levels: tuple[Level, ...], cases: pd.DataFrame, truth: dict[str, LevelLabels]
) -> pd.DataFrame:
    """One row per case, level and head. Derived rows carry logits too (logsumexp over each class's fine classes): they never tie."""
    sizes = {level.name: len(level.classes) for level in levels}
    own = {head: values.numpy() for head, values in network.heads.probabilities(logits).items()}
    grouped = network.class_logits(logits)
    identity = cases[["cohort", "split", "case_id", "subject", "side", "visit"]]
    parts: list[pd.DataFrame] = []
    for head in own:
        for level, classes in groupings(levels, head).items():
            mine = level == head
            probabilities = own[head] if mine else derive_probabilities(own[head], classes, sizes[level])
            spoken = logits[head] if mine else grouped[level, head]
            columns: dict[str, Any] = {"probabilities": list(probabilities), "logits": list(spoken.numpy())}
            columns |= {"truth": _truth(truth[level]), "label_source": truth[level].sources}
            parts.append(identity.assign(level=level, head=head, **columns))
    return pd.concat(parts, ignore_index=True)


def _truth(labels: LevelLabels) -> list[list[int | None]]:
    """Lists as the table holds them: one entry, or one per finding; null where unread."""
    return [[None if entry == MISSING else int(entry) for entry in row] for row in labels.values.reshape(len(labels.values), -1)]


def _check_levels(network: Network, levels: tuple[Level, ...], run: Path) -> None:
    declared = {level.name: level for level in levels}
    for name, level in network.heads.levels.items():
        if name not in declared or declared[name].classes != level.classes or declared[name].kind != level.kind:
            raise KneeoaError(f"{run}: was trained on a level '{name}' that the study does not declare in that way; train the arm again.")


def _check_finite(embedding: NDArray[np.float32], logits: dict[str, torch.Tensor], cases: pd.DataFrame, run: Path) -> None:
    spoken = np.concatenate([embedding, *(values.numpy() for values in logits.values())], axis=1)
    wrong = np.flatnonzero(~np.isfinite(spoken).all(axis=1))
    if len(wrong):
        first = cases.iloc[wrong[0]]
        raise KneeoaError(
            f"{run}: its output for {len(wrong)} cases is not finite, first {first['case_id']} of cohort {first['cohort']}; "
            "look at these volumes for values that are not finite, or train the run again."
        )
