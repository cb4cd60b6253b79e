"""Train one run (an arm and a seed): from volumes and labels to weights, learning curves and a
record.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from kneeoa.atomic_io import digest, write_json
from kneeoa.backbones.interface import Backbone
from kneeoa.config.training import Training
from kneeoa.errors import KneeoaError
from kneeoa.labels.level_labels import read_labels
from kneeoa.network.model import ModelSpec, build, save
from kneeoa.plugins.interface import PluginHeads
from kneeoa.tables.runs import HISTORY
from kneeoa.training import checkpoint
from kneeoa.training.checkpointing import CheckpointManager, TimeLimit
from kneeoa.training.cost import Meter
from kneeoa.training.dataset import Dataset, select_split
from kneeoa.training.device import device_name, reproducible
from kneeoa.training.engine import Engine, NotFinite
from kneeoa.training.epochs import Epochs
from kneeoa.training.optimizer import make_optimiser
from kneeoa.training.progress import ProgressDisplay
from kneeoa.training.record import run_record, versions
from kneeoa.training.seeding import Purpose, derive_seed
from kneeoa.training.shards import Shards

logger = logging.getLogger(__name__)


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
    minutes: float | None = None,
    keep_state: bool = False,
    on_step: Callable[[int, int], None] | None = None,
) -> None:
    """Train one run and write ``weights.safetensors``, ``model.json``, ``history.parquet`` and,
    last, ``run.json`` into ``out``.

    Cases of split train are trained on, those of split val choose the epoch (``checkpoint: best``);
    each needs a label at one or more of the mode's levels. A run that was killed, or that exited
    before its time limit, resumes from its last state and ends as without the interruption: with
    the same bytes on a CPU. A loss that is not finite ends the run, and the state before it stays.

    Args:
        study: name of the study.
        arm: name of the arm.
        seed: of weights, order, augmentation and dropout, each a stream of its own: runs of one
            seed and backbone begin from the same backbone weights and see the same batches whatever
            their mode.
        spec: the network.
        training: how it is trained.
        arrays: float16 ``.npy`` shards ``[rows, *spec.shape]``.
        indices: the VOLUMES table of each of ``arrays``.
        splits: SPLITS tables.
        labels: LABELS tables.
        threads: CPU threads.
        out: folder of the run.
        provenance: stored in ``run.json``; its ``code`` (digest) decides whether the state of a
            killed job may be used.
        minutes: the time that the job requested from its scheduler, if it runs under one.
        keep_state: leave the state in ``out`` when the run has finished: where another run's
            failure may remove its results, they are made again from there without training.
        on_step: called after each step with its epoch (from 1) and the number of its finished
            steps, after the state was saved where that was due.

    Raises:
        KneeoaError: the files do not fit the network or each other, a subject straddles splits,
            there is nothing to train or validate on, or the loss diverges.
        Unfinished: the job has to exit; run again, it resumes.
    """
    started = time.monotonic()
    with reproducible(threads, compiled=training.compile) as device, TimeLimit(minutes) as stopping:
        meter = Meter(device, started)
        data = _load_data(spec, training, arrays, indices, splits, labels, device)
        _check_data(data, spec, training)
        digests = {split: part.digest() for split, part in data.items()}
        torch.manual_seed(derive_seed(seed, Purpose.WEIGHTS))  # the backbone draws first, so heads cannot disturb it
        network = build(spec).to(device)
        begun_from = load_pretrained(network.backbone, spec)
        plugin_from = network.heads.load_pretrained() if isinstance(network.heads, PluginHeads) else None
        begun = {"pretrained": begun_from} | ({} if plugin_from is None else {"pretrained_plugin": asdict(plugin_from)})
        if training.class_weights == "balanced":
            network.heads.balance(data["train"].labels)
        settings = {"model": spec.to_json(), "training": training.model_dump(mode="json")}
        fingerprint = {
            "configuration": digest({"model": settings["model"], "training": training.result_settings(), "seed": seed, "threads": threads}),
            "data": digest([digests, *begun.values()]),
            "code": digest([provenance.get("code"), versions()]),
        }

        optimiser = make_optimiser(network.parameters(), training)
        progress = checkpoint.resume(out, fingerprint, network, optimiser)
        _check_device(progress.cost.devices, device_name(device))
        keeper = CheckpointManager(out, fingerprint, progress, network, optimiser, meter, training.save_every, stopping)
        epochs = Epochs(spec, training, seed, data, keeper, ProgressDisplay(f"{arm} seed {seed}", training.epochs), out, on_step)
        try:
            epochs.run(Engine(network, training, device), optimiser, progress)
        except NotFinite:
            keeper.save_now()
            raise
        if keep_state:
            keeper.save_now()
        if progress.best:
            network.load_state_dict(progress.best)
        save(network, spec, out)
        HISTORY.write(out / "history.parquet", [{"arm": arm, "seed": seed, **row} for row in progress.history])
        meter.read(progress.cost)
        content = run_record(
            run={"study": study, "arm": arm, "seed": seed, "fold": None},
            settings=settings,
            provenance={**provenance, **begun},
            data=data,
            digests=digests,
            progress=progress,
            device=device,
            threads=threads,
            parameters=sum(parameter.numel() for parameter in network.parameters()),
        )
        write_json(out / "run.json", content)
    if not keep_state:
        checkpoint.remove(out)


def load_pretrained(backbone: Backbone, spec: ModelSpec) -> dict[str, Any] | None:
    """Load the weights of the file that ``spec`` names, if it names one, into ``backbone``; returns
    the file, its digest and the weights taken from it.

    Raises:
        KneeoaError: the file cannot be read or does not fit.
    """
    weights = spec.options.get("weights")
    return asdict(backbone.load_pretrained(os.path.expandvars(weights))) if weights else None


def _load_data(
    spec: ModelSpec,
    training: Training,
    arrays: Sequence[Path],
    indices: Sequence[Path],
    splits: Sequence[Path],
    labels: Sequence[Path],
    device: torch.device,
) -> dict[str, Dataset]:
    shards = Shards(arrays, indices, spec.shape)
    cases = shards.locate(splits)
    _check_subjects(cases)
    by_level = read_labels(labels, cases, spec.levels)
    supervising = {name: by_level[name] for name in spec.mode.levels}
    data = {split: select_split(shards, cases, supervising, split, device, training.data) for split in ("train", "val")}
    logger.info("%d cases to train on, %d to validate on, %s", len(data["train"]), len(data["val"]), device_name(device))
    return data


def _check_subjects(cases: pd.DataFrame) -> None:
    straddling = cases.groupby(["cohort", "subject"])["split"].nunique() > 1
    if straddling.any():
        cohort, subject = straddling[straddling].index[0]
        raise KneeoaError(f"Subject {subject} of cohort {cohort} lies in two splits, so what is learned would leak; make the split again.")


def _check_data(data: Mapping[str, Dataset], spec: ModelSpec, training: Training) -> None:
    levels = ", ".join(spec.mode.levels)
    if len(data["train"]) < 2:
        raise KneeoaError(f"Split 'train' has {len(data['train'])} cases with a label at {levels}; training needs two at least.")
    try:
        training.check_cases(len(data["train"]))
    except ValueError as error:
        raise KneeoaError(f"Split 'train': {error}.") from error
    if training.checkpoint == "best" and not len(data["val"]):
        raise KneeoaError(
            f"Split 'val' has no case with a label at {levels}, so 'checkpoint: best' has nothing to choose by; give a cohort's "
            "'split.val' a share, or set 'training.checkpoint' to last."
        )


def _check_device(before: Sequence[str], device: str) -> None:
    if before and before != [device]:
        logger.warning(
            "the run goes on on %s after %s: its weights will agree with those of an undisturbed run to rounding only",
            device,
            ", ".join(before),
        )
