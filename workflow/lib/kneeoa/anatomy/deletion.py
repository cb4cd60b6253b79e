"""Measure how a run's score changes when a tissue, or a control region of its size, is deleted from
the image.

Overlap of a map with cartilage does not show that the network relies on cartilage; deleting the
cartilage does.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kneeoa.anatomy.deletion_regions import deletion_regions, fill_from_surroundings
from kneeoa.anatomy.tissue_fields import MaskArrays, cell_size, group_values, tissues_of, tissues_within
from kneeoa.atomic_io import digest
from kneeoa.central_crop import central_window
from kneeoa.config.analysis import Anatomy
from kneeoa.network.model import Network, load
from kneeoa.saliency.cases import ExplainedScore, explained_cases, explained_score, true_classes
from kneeoa.saliency.methods.interface import Target
from kneeoa.tables.saliency import DELETION
from kneeoa.training.device import reproducible
from kneeoa.training.shards import Shards

_log = logging.getLogger(__name__)


def delete_run(
    *,
    study: str,
    arm: str,
    seed: int,
    folder: Path,
    arrays: list[Path],
    indices: list[Path],
    splits: list[Path],
    labels: list[Path],
    mask_arrays: list[Path],
    mask_indices: list[Path],
    view: str,
    target: str,
    tissues: dict[str, dict[str, tuple[int, ...]]],
    spacing: tuple[float, ...],
    anatomy: Anatomy,
    batch: int,
    threads: int,
    out: Path,
) -> None:
    """Delete each group of tissues and its controls from the first ``anatomy.deletion`` test cases
    of each cohort, one at a time, in the part of the image that the network takes.

    Args:
        study: name of the study, copied to the rows.
        arm: name of the arm, copied to the rows.
        seed: seed of the run, copied to the rows.
        folder: the run's.
        arrays: the arm's input arrays, float16 ``[rows, *shape]``.
        indices: the VOLUMES table of each array.
        splits: SPLITS tables.
        labels: LABELS tables, for a target level of several classes.
        mask_arrays: arrays of masks, uint8 ``[rows, *canonical shape]``.
        mask_indices: the MASKS table of each.
        view: the arm's view.
        target: the score that is measured, the same as saliency explains.
        tissues: cohort -> its tissues.
        spacing: millimetres of a voxel of the masks.
        anatomy: the groups, how many cases and controls, the width of the fill.
        batch: images predicted together.
        threads: threads of the arithmetic.
        out: DELETION table to write; cases without a usable mask, or without the first group, have
            no rows.

    Raises:
        KneeoaError: a file is not what it should be, or no head predicts the target.
    """
    masks = MaskArrays(mask_arrays, mask_indices)
    rows: list[dict[str, Any]] = []
    with reproducible(threads) as device, torch.inference_mode():
        network, spec = load(folder, str(device))
        window = central_window(spec.shape, spec.taken)
        score = explained_score(target, network)
        shards = Shards(arrays, indices, spec.shape)
        cases = explained_cases(shards.locate(splits), anatomy.deletion)
        cases, classes = true_classes(cases, score, labels)
        for number, case in enumerate(cases.to_dict("records")):
            cohort, case_id = case["cohort"], case["case_id"]
            mask = masks.get(cohort, case_id, view)
            if mask is None:
                continue
            groups = group_values(tissues.get(cohort, {}), anatomy.targets, cohort)
            tissue_fields, joint = tissues_within(*tissues_of(mask, groups, anatomy, spacing, spec.shape), window)
            # The same regions for every arm of a grid and every seed.
            generator = np.random.default_rng(int(digest([anatomy.seed, "deletion", cohort, case_id]), 16))
            chosen = [region.in_image(spec.shape, window) for region in deletion_regions(tissue_fields, joint, anatomy.controls, generator)]
            if not chosen:
                continue
            image = shards.read(case["file"], case["row"]).astype(np.float32)
            sigma = tuple(anatomy.blur_mm / width for width in cell_size(mask.shape, spacing, spec.shape))
            truth = None if classes is None else int(classes[number])
            images = [image, *(fill_from_surroundings(image, region.inside, sigma) for region in chosen)]
            before, *after = _scores(network, score, truth, images, batch, device)
            here = {"study": study, "arm": arm, "seed": seed, "cohort": cohort, "case_id": case_id, "subject": case["subject"]}
            here |= {"target": score.label, "score": before}
            rows += [
                here
                | {"region": region.name, "copy": region.copy, "drop": before - without, "overlap": region.overlap}
                | {"voxels": int(region.inside.sum())}
                for region, without in zip(chosen, after, strict=True)
            ]
    _log.info("deleted %d regions", len(rows))
    DELETION.write(out, rows)


def _scores(
    network: Network, score: ExplainedScore, truth: int | None, images: list[NDArray[np.float32]], batch: int, device: torch.device
) -> list[float]:
    """Scores of a case's images, predicted ``batch`` at a time."""
    scores: list[float] = []
    for start in range(0, len(images), batch):
        some = torch.from_numpy(np.stack(images[start : start + batch])[:, None]).to(device)
        classes = None if truth is None else torch.full((len(some),), truth, device=device)
        scores += Target(network, score.level.name, score.head, classes, score.named)(some).tolist()
    return scores
