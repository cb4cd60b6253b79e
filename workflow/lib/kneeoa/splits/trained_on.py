"""Leave out cases of validation and test that are in training elsewhere: of the same person in
another cohort, or the same picture under another name.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.errors import KneeoaError
from kneeoa.tables.cohort import EXCLUSIONS, SPLITS
from kneeoa.tables.shards import VOLUMES

_LOG = logging.getLogger(__name__)


def leave_out_trained(
    *,
    name: str,
    same_people: Collection[str],
    splits: Sequence[Path],
    volumes: Sequence[Path],
    out_splits: Path,
    out_exclusions: Path,
) -> None:
    """Write the splits of a cohort again, without the cases of validation and test that are trained
    on elsewhere, and a row of exclusions for each of those.

    A case leaves as ``trained-on`` where its subject is in training in a cohort of the same people,
    and as ``same-picture`` where its image, as decoded or as a network sees it, is that of a case
    of training under another name, in whatever cohort. Training itself is not touched, so that no
    run depends on what another cohort's images hold.

    Args:
        name: the cohort.
        same_people: the cohorts in which an id is the same person as in this one.
        splits: SPLITS of this cohort, of those, and of all whose images it is compared with.
        volumes: VOLUMES indices of these cohorts, of the views of this one.
        out_splits: where SPLITS is written, rows by ``case_id``.
        out_exclusions: where EXCLUSIONS is written.

    Raises:
        KneeoaError: no case of test is left of a cohort that had some.
    """
    all_splits = SPLITS.concat(list(splits))
    mine, trained = all_splits[all_splits["cohort"] == name], all_splits[all_splits["split"] == "train"]
    held_out = mine[mine["split"] != "train"]
    reasons = _trained_pictures(held_out, trained, VOLUMES.concat(list(volumes))) | _trained_subjects(
        held_out, trained[trained["cohort"].isin(same_people)]
    )
    kept = mine[~mine["case_id"].isin(list(reasons))]
    if "test" in set(mine["split"]) and "test" not in set(kept["split"]):
        raise KneeoaError(
            f"cohort '{name}': all of its {int((mine['split'] == 'test').sum())} cases of test are trained on elsewhere, first: "
            f"{next(iter(reasons.values()))[1]} Test on other people, or leave the cohort out."
        )
    subjects = dict(zip(mine["case_id"], mine["subject"], strict=True))
    SPLITS.write(out_splits, kept[SPLITS.schema.names])
    EXCLUSIONS.write(out_exclusions, [_exclusion_row(name, case_id, subjects[case_id], *reasons[case_id]) for case_id in sorted(reasons)])
    if reasons:
        _LOG.warning("%s: %d cases of validation and test are trained on elsewhere, and leave", name, len(reasons))


def _trained_subjects(held_out: pd.DataFrame, trained: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Reason and sentence of each case whose subject is trained on in another cohort."""
    cohort_of = dict(zip(trained["subject"], trained["cohort"], strict=True))
    return {
        case_id: ("trained-on", f"{case_id} ({split}): subject {subject} is trained on in cohort '{cohort_of[subject]}'.")
        for case_id, subject, split in zip(held_out["case_id"], held_out["subject"], held_out["split"], strict=True)
        if subject in cohort_of
    }


def _trained_pictures(held_out: pd.DataFrame, trained: pd.DataFrame, index: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Reason and sentence of each case whose image is that of a case of training."""
    identity = ["cohort", "case_id"]
    images = index.sort_values([*identity, "view"])
    trained_images: dict[tuple[str, str, str], str] = {}
    for row in images.merge(trained[identity], on=identity).itertuples():
        for key in _image_keys(row):
            trained_images.setdefault(key, f"{row.case_id} of cohort '{row.cohort}'")
    reasons: dict[str, tuple[str, str]] = {}
    for row in images.merge(held_out[[*identity, "split"]], on=identity).itertuples():
        twin = next((trained_images[key] for key in _image_keys(row) if key in trained_images), None)
        if twin is not None:
            detail = f"{row.case_id} ({row.split}): its image of view '{row.view}' is that of {twin}, which is trained on."
            reasons.setdefault(str(row.case_id), ("same-picture", detail))
    return reasons


def _image_keys(row: Any) -> list[tuple[str, str, str]]:
    """Keys of an image: the digests of the decoded file and of the array that a network sees."""
    return [(row.view, kind, getattr(row, kind)) for kind in ("source_digest", "digest") if getattr(row, kind)]


def _exclusion_row(cohort: str, case_id: str, subject: str, reason: str, detail: str) -> dict[str, Any]:
    place = {"cohort": cohort, "case_id": case_id, "subject": subject, "view": None, "stage": "splits", "scope": "case"}
    return {**place, "reason": reason, "detail": detail}
