"""Predict and embed every case with a trained run. Only temperatures are fitted here, on validation
cases.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.inference.outputs import Logits, all_finite, forward_batch, predict_levels
from kneeoa.inference.temperature import fit_temperatures, usable_temperatures, write_temperatures
from kneeoa.labels.level_labels import MISSING, LevelLabels, read_labels
from kneeoa.network.model import Network, load
from kneeoa.network.spec import ModelSpec
from kneeoa.tables.runs import PREDICTIONS, embeddings
from kneeoa.training.dataset import evaluation_batches
from kneeoa.training.device import reproducible
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
    out_temperature: Path,
    flips: tuple[int, ...] = (),
    temperature: bool = False,
) -> None:
    """Predict every case of every split (train, val, test, external) with the weights of ``run``,
    without augmentation.

    Writes the PREDICTIONS table, sorted by cohort, case_id, level and head: each head at its own
    level, and at every coarser level of ``levels`` by summing its class probabilities; the table of
    embeddings, sorted by cohort and case_id; and the temperature of every head. Logits in the table
    are always the network's own: without temperature, their softmax are the uncalibrated
    probabilities.

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
        out_temperature: JSON of the temperatures (:mod:`kneeoa.inference.temperature`), fitted on
            split val.
        flips: axes of the image along which its mirror image is predicted as well
            (:func:`kneeoa.inference.outputs.forward_batch`).
        temperature: apply the temperatures; a head without one stays as it is, and its rows say so.

    Raises:
        KneeoaError: the files do not fit the network or each other, or a prediction is not finite.
    """
    with reproducible(threads) as device:
        network, _, shards, cases = load_run(run, device, arrays, indices, splits, levels)
        truth = read_labels(labels, cases, levels)
        outputs = [forward_batch(network, images, flips, device) for images in image_batches(shards, cases, batch)]
        heads = tuple(network.heads.levels)
    embedding = np.concatenate([part for part, _ in outputs])
    logits = {head: np.concatenate([part[head] for _, part in outputs]) for head in heads}
    _check_finite(embedding, logits, cases, run)
    fitted = fit_temperatures(logits, levels, cases, truth)
    write_temperatures(out_temperature, run, flips, fitted)
    table = _rows(logits, levels, cases, truth, usable_temperatures(fitted) if temperature else {})
    identity: dict[str, Any] = {"study": study, "arm": arm, "seed": seed}
    table = table.assign(**identity, members=None).sort_values(["cohort", "case_id", "level", "head"], ignore_index=True)
    PREDICTIONS.write(out_predictions, table)
    embedded = cases[["cohort", "split", "case_id", "subject"]].assign(**identity, embedding=list(embedding))
    embeddings(embedding.shape[1]).write(out_embeddings, embedded)
    for head, entry in fitted.items():
        if entry["reason"]:
            logger.info("head %s: %s", head, entry["reason"])
    logger.info("%d cases predicted at %s", len(cases), ", ".join(sorted(set(table["level"]))))


def load_run(
    run: Path, device: torch.device, arrays: Sequence[Path], indices: Sequence[Path], splits: Sequence[Path], levels: tuple[Level, ...]
) -> tuple[Network, ModelSpec, Shards, pd.DataFrame]:
    """A run's network on ``device`` and its description, the shards that fit it and the cases of
    the splits in them; other arguments and errors as :func:`predict`.
    """
    network, spec = load(run, str(device))
    check_levels(network, levels, run)
    shards = Shards(arrays, indices, spec.shape)
    return network, spec, shards, shards.locate(splits)


def image_batches(shards: Shards, cases: pd.DataFrame, batch: int) -> Iterator[NDArray[np.float16]]:
    """Yield the images of ``batch`` cases at a time, ``[cases, *shape]``, read as they are
    needed.
    """
    places = cases[["file", "row"]].to_numpy()
    for rows in evaluation_batches(len(cases), batch):
        yield np.stack([shards.read(file, row) for file, row in places[rows]])


def _rows(
    logits: Logits,
    levels: tuple[Level, ...],
    cases: pd.DataFrame,
    truth: Mapping[str, LevelLabels],
    temperatures: Mapping[str, float],
) -> pd.DataFrame:
    """One row per case, level and head."""
    identity = cases[["cohort", "split", "case_id", "subject", "side", "visit"]]
    parts: list[pd.DataFrame] = []
    for reading in predict_levels(logits, levels, temperatures):
        columns: dict[str, Any] = {"level": reading.level, "head": reading.head, "calibrated": reading.calibrated}
        columns |= {"probabilities": list(reading.probabilities), "logits": list(reading.logits)}
        columns |= {"truth": label_lists(truth[reading.level]), "label_source": truth[reading.level].sources}
        parts.append(identity.assign(**columns))
    return pd.concat(parts, ignore_index=True)


def label_lists(labels: LevelLabels) -> list[list[int | None]]:
    """Labels as lists, as the table holds them: one entry, or one per finding; null where
    unread.
    """
    return [[None if entry == MISSING else int(entry) for entry in row] for row in labels.values.reshape(len(labels.values), -1)]


def check_levels(network: Network, levels: tuple[Level, ...], run: Path) -> None:
    """Check that the study declares the levels of a run's heads as they were when it was trained.

    Raises:
        KneeoaError: it does not.
    """
    declared = {level.name: level for level in levels}
    for name, level in network.heads.levels.items():
        if name not in declared or declared[name].classes != level.classes or declared[name].kind != level.kind:
            raise KneeoaError(f"{run}: was trained on a level '{name}' that the study does not declare in that way; train the arm again.")


def _check_finite(embedding: NDArray[np.float32], logits: Logits, cases: pd.DataFrame, run: Path) -> None:
    wrong = np.flatnonzero(~(np.isfinite(embedding).all(axis=1) & all_finite(logits)))
    if len(wrong):
        first = cases.iloc[wrong[0]]
        raise KneeoaError(
            f"{run}: its output for {len(wrong)} cases is not finite, first {first['case_id']} of cohort {first['cohort']}; "
            "look at these volumes for values that are not finite, or train the run again."
        )
