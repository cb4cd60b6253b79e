"""One training job: one arm, one seed, from volumes and labels to weights, learning curves and a record."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from kneeoa.config.training import Training
from kneeoa.errors import KneeoaError
from kneeoa.files import digest, write_json
from kneeoa.network.model import ModelSpec, Network, build, save
from kneeoa.tables.history import HISTORY
from kneeoa.training import checkpoint
from kneeoa.training.augmentation import augmenter
from kneeoa.training.batches import shuffled
from kneeoa.training.checkpoint import Progress
from kneeoa.training.dataset import Dataset, gather
from kneeoa.training.device import describe, reproducible
from kneeoa.training.labels import read_labels
from kneeoa.training.loop import TOTAL, Evaluation, evaluate, train_epoch
from kneeoa.training.record import record, versions
from kneeoa.training.schedule import rate
from kneeoa.training.seeding import Purpose, number
from kneeoa.training.shards import Shards

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 30.0
"""Least wall time between two writes of the state of an unfinished run."""


def train(
    *,
    study: str,
    arm: str,
    seed: int,
    spec: ModelSpec,
    training: Training,
    arrays: Sequence[Path],
    indices: Sequence[Path],
    splits: Sequence[Path],
    labels: Sequence[Path],
    threads: int,
    out: Path,
    provenance: Mapping[str, Any],
    on_epoch: Callable[[int], None] | None = None,
) -> None:
    """Train one run and write ``weights.safetensors``, ``model.json``, ``history.parquet`` and, last, ``run.json`` into ``out``.

    Cases of split train learn, those of split val choose the epoch (``checkpoint: best``); either needs a label at one of the
    mode's levels at least. A run that was killed goes on from its last state, and ends as if it had not been.

    Args:
        study: name of the study.
        arm: name of the arm.
        seed: of weights, order, augmentation and dropout, each a stream of its own: runs of one seed and backbone begin from the same
            backbone weights and see the same batches whatever their mode.
        spec: the network.
        training: how it is trained.
        arrays: float16 ``.npy`` shards ``[rows, *spec.shape]``.
        indices: the VOLUMES table of each of ``arrays``.
        splits: SPLITS tables.
        labels: LABELS tables.
        threads: CPU threads.
        out: folder of the run.
        provenance: kept in ``run.json``; its ``code`` (digest) decides whether the state of a killed job may be used.
        on_epoch: called with the number of each finished epoch.

    Raises:
        KneeoaError: the files do not fit the network or each other, a subject straddles splits, there is nothing to train or
            validate on, or the loss diverges.
    """
    started = time.monotonic()
    with reproducible(threads) as device:
        data = _load(spec, arrays, indices, splits, labels, device)
        _check(data, spec, training)
        digests = {split: part.digest() for split, part in data.items()}
        settings = {"model": spec.to_json(), "training": training.model_dump(mode="json")}
        decisive = {**settings, "seed": seed, "data": digests, "code": provenance.get("code"), "packages": versions()}
        fingerprint = digest({**decisive, "device": describe(device), "threads": threads})

        torch.manual_seed(number(seed, Purpose.WEIGHTS))  # the backbone draws first, so heads cannot disturb it
        network = build(spec).to(device)
        optimiser = torch.optim.AdamW(network.parameters(), weight_decay=training.weight_decay, fused=True)
        progress = checkpoint.resume(out, fingerprint, network, optimiser)
        written = time.monotonic()
        job = _Job(spec, training, seed, data, device)
        for epoch in range(progress.epoch + 1, training.epochs + 1):
            job.advance(network, optimiser, progress, epoch)
            if epoch < training.epochs and time.monotonic() - written >= CHECKPOINT_SECONDS:
                checkpoint.save(out, fingerprint, progress, network, optimiser)
                written = time.monotonic()
            if on_epoch is not None:
                on_epoch(epoch)
        if progress.best:
            network.load_state_dict(progress.best)
        save(network, spec, out)
        HISTORY.write(out / "history.parquet", [{"arm": arm, "seed": seed, **row} for row in progress.history])
        content = record(
            run={"study": study, "arm": arm, "seed": seed},
            settings=settings,
            provenance=provenance,
            data=data,
            digests=digests,
            progress=progress,
            device=device,
            threads=threads,
            parameters=sum(parameter.numel() for parameter in network.parameters()),
            seconds=time.monotonic() - started,
        )
        write_json(out / "run.json", content)
    checkpoint.remove(out)


def _load(
    spec: ModelSpec, arrays: Sequence[Path], indices: Sequence[Path], splits: Sequence[Path], labels: Sequence[Path], device: torch.device
) -> dict[str, Dataset]:
    shards = Shards(arrays, indices, spec.shape)
    cases = shards.locate(splits)
    _check_subjects(cases)
    known = read_labels(labels, cases, spec.levels)
    supervising = {name: known[name] for name in spec.mode.levels}
    data = {split: gather(shards, cases, supervising, split, device) for split in ("train", "val")}
    logger.info("%d cases to train on, %d to validate on, %s", len(data["train"]), len(data["val"]), describe(device))
    return data


def _check_subjects(cases: pd.DataFrame) -> None:
    straddling = cases.groupby(["cohort", "subject"])["split"].nunique() > 1
    if straddling.any():
        cohort, subject = straddling[straddling].index[0]
        raise KneeoaError(f"Subject {subject} of cohort {cohort} lies in two splits, so what is learned would leak; make the split again.")


def _check(data: Mapping[str, Dataset], spec: ModelSpec, training: Training) -> None:
    levels = ", ".join(spec.mode.levels)
    if len(data["train"]) < 2:
        raise KneeoaError(f"Split 'train' has {len(data['train'])} cases with a label at {levels}; training needs two at least.")
    if training.checkpoint == "best" and not len(data["val"]):
        raise KneeoaError(
            f"Split 'val' has no case with a label at {levels}, so 'checkpoint: best' has nothing to choose by; give a cohort's "
            "'split.val' a share, or set 'training.checkpoint' to last."
        )


@dataclass(frozen=True)
class _Job:
    """What stays the same over the epochs of a run."""

    spec: ModelSpec
    training: Training
    seed: int
    data: Mapping[str, Dataset]
    device: torch.device

    def advance(self, network: Network, optimiser: torch.optim.Optimizer, progress: Progress, epoch: int) -> None:
        """Train one epoch and look at the validation cases; ``network`` and ``progress`` move on."""
        begun = time.monotonic()
        learning, validation, training = self.data["train"], self.data["val"], self.training
        batches = shuffled(len(learning), training.batch, self.seed, epoch)
        first, steps = (epoch - 1) * len(batches), training.epochs * len(batches)
        rates = [rate(training, first + step, steps) for step in range(len(batches))]
        augment = augmenter(training.augmentation, len(learning), self.spec.shape, self.seed, epoch)
        autocast = training.precision == "bfloat16" and self.device.type == "cuda"
        torch.manual_seed(number(self.seed, Purpose.DROPOUT, epoch))
        losses = train_epoch(network, learning, batches, optimiser, rates, augment, self.device, autocast)
        kinds = {level.name: level.kind for level in self.spec.levels if level.name in self.spec.mode.levels}
        seen = evaluate(network, validation, training.predict_batch, kinds, self.device) if len(validation) else None
        progress.history += _rows(epoch, losses, rates[-1], seen)
        if training.checkpoint == "last":
            progress.best_epoch = epoch
        elif seen is not None and seen.losses[TOTAL] < progress.best_loss:
            progress.best_epoch, progress.best_loss = epoch, seen.losses[TOTAL]
            progress.best = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
        progress.epoch = epoch
        progress.seconds += time.monotonic() - begun
        logger.info("%s", _line(progress, training.epochs, losses, seen))


def _rows(epoch: int, losses: Mapping[str, float], learning_rate: float, seen: Evaluation | None) -> list[dict[str, Any]]:
    """Rows of the HISTORY table without arm and seed: nothing in them varies between equal runs."""
    rows = [("train", level, "loss", value) for level, value in losses.items()]
    rows.append(("train", TOTAL, "learning_rate", learning_rate))
    if seen is not None:
        rows += [("val", level, "loss", value) for level, value in seen.losses.items()]
        rows += [("val", level, name, value) for level, (name, value) in seen.measures.items()]
    return [{"epoch": epoch, "split": split, "level": level, "measure": name, "value": value} for split, level, name, value in rows]


def _line(progress: Progress, epochs: int, losses: Mapping[str, float], seen: Evaluation | None) -> str:
    """One line for people: where the run stands, and how long it has to go."""
    parts = [f"epoch {progress.epoch}/{epochs}", f"train {losses[TOTAL]:.4f}"]
    if seen is not None:
        parts.append(f"val {seen.losses[TOTAL]:.4f}")
        parts += [f"{level} {name} {value:.3f}" for level, (name, value) in seen.measures.items()]
    left = progress.seconds / progress.epoch * (epochs - progress.epoch)
    return " ".join(parts) + f", {left:.0f} s left"
