"""Bring new images to the form that networks take, by the same stages that prepare a study's
images.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.inference.new_images import NewImage
from kneeoa.ingestion.input_grids import resample_shard
from kneeoa.ingestion.shard import make_volumes
from kneeoa.network.spec import TrainedOn
from kneeoa.tables.cohort import CASES, EXCLUSIONS, IMAGES
from kneeoa.tables.shards import VOLUMES

Shape = tuple[int, ...]
COHORT = "new"
"""The cohort of new images in tables."""


@dataclass(frozen=True)
class PreparedImages:
    """Canonical images of some cases."""

    case_ids: list[str]
    """The cases whose image could be used, in the order of the arrays' rows."""
    arrays: dict[Shape, NDArray[np.float16]]
    """``[cases, *shape]`` for each input shape that was asked for, memory-mapped."""
    exclusions: pd.DataFrame
    """EXCLUSIONS rows of the others."""


def prepare_images(
    images: Sequence[NewImage], root: Path, form: TrainedOn, shapes: Collection[Shape], scratch: Path, orientation: str | None = None
) -> PreparedImages:
    """Decode images and bring them to the canonical form, and to each of ``shapes`` over the same
    extent.

    Args:
        images: one a case.
        root: what their paths are relative to.
        form: what the networks learned from.
        shapes: input shapes of the networks.
        scratch: an empty folder; the arrays live there.
        orientation: of volumes whose header gives none.
    """
    CASES.write(scratch / "cases.parquet", [_case(image) for image in images])
    IMAGES.write(scratch / "images.parquet", [_image(image, form.view) for image in images])
    canonical, index, excluded = scratch / "canonical.npy", scratch / "canonical.parquet", scratch / "exclusions.parquet"
    make_volumes(
        images=scratch / "images.parquet",
        cases=scratch / "cases.parquet",
        root=root,
        cohort=COHORT,
        view_name=form.view,
        view=form.canonical,
        shard=0,
        out_array=canonical,
        out_index=index,
        out_exclusions=excluded,
        orientation=orientation,
    )
    arrays = {}
    for number, shape in enumerate(sorted(shapes)):
        path = canonical
        if shape != tuple(form.canonical.shape):
            path = scratch / f"grid-{number}.npy"
            resample_shard(array=canonical, index=index, shape=shape, out_array=path, out_index=path.with_suffix(".parquet"))
        arrays[shape] = np.load(path, mmap_mode="r", allow_pickle=False)
    cases = VOLUMES.read(index).sort_values("row")["case_id"].tolist()
    return PreparedImages(cases, arrays, EXCLUSIONS.read(excluded))


def _case(image: NewImage) -> dict[str, Any]:
    identity = {"cohort": COHORT, "case_id": image.case, "subject": image.case, "side": image.side, "visit": COHORT, "shard": 0}
    return {**identity, **dict.fromkeys(("site", "sex", "age", "given_split"))}


def _image(image: NewImage, view: str) -> dict[str, Any]:
    row, column = image.centre or (None, None)
    identity = {"cohort": COHORT, "case_id": image.case, "shard": 0, "view": view, "role": "image"}
    return {**identity, "path": image.path, "format": image.format, "shows": image.shows, "centre_row": row, "centre_column": column}
