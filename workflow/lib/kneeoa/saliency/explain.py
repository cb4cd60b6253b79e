"""The saliency stage: maps of one run's test cases, at a fixed target, kept small."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from kneeoa.config.analysis import Saliency
from kneeoa.errors import KneeoaError
from kneeoa.files import atomic_path, digest
from kneeoa.network.model import load
from kneeoa.saliency.area import area_mean, kept_shape
from kneeoa.saliency.smoothgrad import smoothgrad_x_input
from kneeoa.saliency.storage import pack
from kneeoa.tables.saliency import SALIENCY
from kneeoa.training.device import reproducible
from kneeoa.training.shards import Shards

_log = logging.getLogger(__name__)


def head_for(readings: Sequence[tuple[str, str]], level: str) -> str:
    """The head that speaks for ``level``: its own, else the first finer one that the level can be read from.

    Args:
        readings: the network's pairs (level, head).
        level: the level to explain.

    Raises:
        KneeoaError: no head speaks for the level.
    """
    heads = [head for known, head in readings if known == level]
    if not heads:
        raise KneeoaError(f"no head of this network speaks about level '{level}'; it gives {sorted({known for known, _ in readings})}.")
    return level if level in heads else heads[0]


def explained_cases(located: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    """The test cases to explain, sorted by cohort and case: all, or of each cohort the first ``limit`` in an order shuffled by name.

    The shuffle depends on the cases' names alone, so that every arm and seed explains the same cases.
    """
    test = located[located["split"] == "test"]
    if limit is not None:
        place = [digest([cohort, case_id]) for cohort, case_id in zip(test["cohort"], test["case_id"], strict=True)]
        test = test.assign(place=place).sort_values("place").groupby("cohort").head(limit).drop(columns="place")
    return test.sort_values(["cohort", "case_id"], ignore_index=True)


def explain_run(
    *,
    study: str,
    arm: str,
    seed: int,
    run: Path,
    arrays: list[Path],
    indices: list[Path],
    splits: list[Path],
    view: str,
    target_level: str,
    saliency: Saliency,
    batch: int,
    threads: int,
    out_maps: Path,
    out_index: Path,
) -> None:
    """Explain the test cases of every cohort given, with SmoothGrad x input of the target level's log-odds.

    Args:
        study: name of the study, copied to the rows.
        arm: name of the arm, copied to the rows.
        seed: seed of the run; with a case's name it seeds that case's noise.
        run: folder of the run (``weights.safetensors``, ``model.json``).
        arrays: the arm's input arrays, float16 ``[rows, *shape]``.
        indices: the VOLUMES table of each array.
        splits: SPLITS tables.
        view: the view explained, copied to the rows.
        target_level: the level whose score is explained, the same for all arms; a run without such a head has it read from a finer one.
        saliency: samples, noise, how small the maps are kept, how many cases.
        batch: cases explained together; it bounds memory and does not change the noise.
        threads: threads of the arithmetic.
        out_maps: ``.npy`` to write: float16 ``[cases, *ceil(shape / keep)]``, absolute values averaged over cells.
        out_index: SALIENCY table to write.

    Raises:
        KneeoaError: a file is not what it should be, no head speaks for the target, or a gradient is not finite.
    """
    with reproducible(threads) as device:
        network, spec = load(run, str(device))
        network.requires_grad_(False)
        head = head_for(network.readings, target_level)
        shards = Shards(arrays, indices, spec.shape)
        cases = explained_cases(shards.locate(splits), saliency.cases)
        maps = np.zeros((len(cases), *kept_shape(spec.shape, saliency.keep)), dtype=np.float16)
        rows: list[dict[str, Any]] = []
        for start in range(0, len(cases), batch):
            chosen = cases.iloc[start : start + batch]
            names = list(zip(chosen["cohort"], chosen["case_id"], strict=True))
            voxels = np.stack([shards.read(file, row) for file, row in zip(chosen["file"], chosen["row"], strict=True)])
            signed, scores = smoothgrad_x_input(
                network,
                torch.from_numpy(voxels[:, None].astype(np.float32)).to(device),
                [np.random.default_rng(int(digest([seed, *name]), 16)) for name in names],
                level=target_level,
                head=head,
                samples=saliency.samples,
                noise=saliency.noise,
            )
            for (cohort, case_id), one, score in zip(names, signed.abs().cpu().numpy(), scores.tolist(), strict=True):
                if not np.isfinite(one).all() or not np.isfinite(score):
                    raise KneeoaError(f"{run}: the gradient of case '{case_id}' is not finite; did the training diverge?")
                if not one.any():
                    _log.warning("the map of case '%s' is zero everywhere", case_id)
                maps[len(rows)], scale = pack(area_mean(one, maps.shape[1:]))
                rows.append(
                    {
                        "study": study,
                        "arm": arm,
                        "seed": seed,
                        "cohort": cohort,
                        "case_id": case_id,
                        "view": view,
                        "row": len(rows),
                        "method": "smoothgrad_x_input",
                        "target": target_level if head == target_level else f"{target_level}<-{head}",
                        "score": score,
                        "scale": scale,
                    }
                )
            _log.info("explained %d of %d cases", len(rows), len(cases))
    with atomic_path(out_maps) as temporary:
        np.save(temporary, maps, allow_pickle=False)
    SALIENCY.write(out_index, rows)
