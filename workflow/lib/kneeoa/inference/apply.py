"""Predict new images by finished runs, outside any study: from raw files to a table of
probabilities (APPLIED, or CSV) and one of exclusions.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch

from kneeoa.atomic_io import atomic_path
from kneeoa.config.cohorts import check_orientation
from kneeoa.config.prediction import flipped_axes
from kneeoa.errors import KneeoaError
from kneeoa.inference.ensemble import Combination
from kneeoa.inference.new_images import NewImage, Shows, list_images
from kneeoa.inference.prepare_images import COHORT, prepare_images
from kneeoa.inference.trained_runs import RunEnsemble, load_ensemble, open_runs
from kneeoa.tables.cohort import EXCLUSIONS
from kneeoa.tables.runs import APPLIED
from kneeoa.training.device import reproducible

logger = logging.getLogger(__name__)

BLOCK = 32
"""Images on the disk at once: each is prepared once for all runs, and its canonical form is removed
again.
"""


def apply(
    *,
    runs: Sequence[Path],
    images: Path,
    out: Path,
    out_exclusions: Path,
    side: str | None = None,
    shows: Shows = "knee",
    orientation: str | None = None,
    how: Combination = "mean",
    flips: Sequence[str] = (),
    calibrated: bool = False,
    batch: int = 8,
    threads: int = 1,
) -> None:
    """Prepare new images as those that the runs learned from, and write APPLIED and EXCLUSIONS.

    Several runs are combined: for every head that all of them have, their probabilities are
    averaged as ``how`` says, and coarser levels are summed from the combined head. An image that
    cannot be used is a row of exclusions; one that is used and should be looked at has a row of
    scope ``flag``.

    Args:
        runs: folders of finished runs (``weights.safetensors``, ``model.json``;
            ``temperature.json`` for ``calibrated``).
        images: a folder, one image, or a table of images
            (:func:`kneeoa.inference.new_images.list_images`).
        out: table to write.
        out_exclusions: table to write.
        side: ``L`` or ``R``, of all images whose side no table gives.
        shows: ``both``: each image is a bilateral radiograph.
        orientation: of volumes whose header gives none
            (:attr:`kneeoa.config.cohorts.Cohort.orientation`).
        how: how runs are combined.
        flips: directions along which mirror images are predicted as well
            (:class:`kneeoa.config.prediction.Prediction`).
        calibrated: apply each run's own temperatures, before runs are combined.
        batch: cases at a time.
        threads: CPU threads.

    Raises:
        KneeoaError: a run cannot be used, runs do not fit each other, or there is no image.
    """
    if min(batch, threads) < 1:
        raise KneeoaError(f"'batch' is {batch} and 'threads' {threads}; both must be 1 at least.")
    members = open_runs(runs)
    form = members[0].trained_on
    try:
        axes = flipped_axes(form.canonical, flips)
        if orientation is not None:
            check_orientation(orientation)
    except ValueError as error:
        raise KneeoaError(f"{error}.") from error
    listed = list_images(images, form.canonical, side, shows)
    excluded = [_exclusion(case, reason, detail) for case, reason, detail in listed.unusable]
    rows: list[pd.DataFrame] = []
    with reproducible(threads) as device:
        panel = load_ensemble(members, how, axes, calibrated, device)
        for start in range(0, len(listed.images), BLOCK):
            block = listed.images[start : start + BLOCK]
            with TemporaryDirectory(prefix="kneeoa-") as scratch:
                predicted, unusable = _block(panel, block, listed.root, Path(scratch), batch, device, orientation)
            rows += predicted
            excluded += unusable
            logger.info("%d of %d images", start + len(block), len(listed.images))
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(APPLIED.schema.names))
    names = pd.Series([[run.name for run in members]] * len(table), index=table.index, dtype=object)  # no row is no number
    table = table.assign(members=names, calibrated=calibrated, combined=how if len(members) > 1 else "alone")
    APPLIED.write(out, table.sort_values(["case_id", "level", "head"], ignore_index=True))
    EXCLUSIONS.write(out_exclusions, excluded)
    lost = sum(row["scope"] == "case" for row in excluded)
    logger.info("%d cases predicted by %d runs, %d excluded", table["case_id"].nunique(), len(members), lost)


def _block(
    panel: RunEnsemble, images: Sequence[NewImage], root: Path, scratch: Path, batch: int, device: torch.device, orientation: str | None
) -> tuple[list[pd.DataFrame], list[dict[str, Any]]]:
    """Predict some images; APPLIED rows (without the columns that are the same for all) and
    EXCLUSIONS rows.
    """
    shapes = {tuple(run.spec.shape) for run in panel.runs}
    prepared = prepare_images(images, root, panel.runs[0].trained_on, shapes, scratch, orientation)
    excluded: list[dict[str, Any]] = [{str(key): value for key, value in row.items()} for row in prepared.exclusions.to_dict("records")]
    if not prepared.case_ids:
        return [], excluded
    sides = {image.case: image.side for image in images}
    predictions, finite_cases = panel.predict(prepared.arrays, batch, device)
    names = np.array(prepared.case_ids, dtype=object)
    detail = "the network's output for this image is not finite; look at the image."
    excluded += [_exclusion(case, "not-finite", f"{case}: {detail}") for case in names[~finite_cases]]
    declared = {level.name: level for level in panel.levels}
    rows = []
    for level, head, probabilities in predictions:
        classes, usable = list(declared[level].classes), probabilities[finite_cases]
        single = declared[level].exclusive
        predicted = [classes[index] for index in usable.argmax(axis=1)] if single else [None] * len(usable)
        predicted_cases = names[finite_cases]
        part = pd.DataFrame({"case_id": predicted_cases, "side": [sides[case] for case in predicted_cases], "level": level, "head": head})
        columns: dict[str, Any] = {"classes": [classes] * len(part), "probabilities": list(usable), "predicted": predicted}
        rows.append(part.assign(**columns))
    return rows, excluded


def _exclusion(case: str, reason: str, detail: str) -> dict[str, Any]:
    identity = {"cohort": COHORT, "case_id": case, "subject": case, "view": None}
    return {**identity, "stage": "apply", "scope": "case", "reason": reason, "detail": detail}


def write_csv(applied: Path, out: Path) -> None:
    """Write the table ``applied`` as CSV: a class and its probability a row, members joined by
    semicolons.

    Raises:
        KneeoaError: ``applied`` is not such a table.
    """
    table = APPLIED.read(applied)
    table = table.assign(members=table["members"].map(";".join)).explode(["classes", "probabilities"])
    table = table.rename(columns={"classes": "class", "probabilities": "probability"})
    with atomic_path(out) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
