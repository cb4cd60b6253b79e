"""The volumes stage: make one array, its index and its exclusions from one shard of subjects."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.ingestion.array_writer import row_writer
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.ingested import Ingested
from kneeoa.ingestion.shard_tables import exclusion_columns, shard_files
from kneeoa.tables.cohort import CASES, EXCLUSIONS
from kneeoa.tables.shards import VOLUMES

_LOG = logging.getLogger(__name__)
# Cases between two lines of progress.
_PROGRESS_CASES = 10


def make_volumes(
    *,
    images: Path,
    cases: Path,
    root: Path,
    cohort: str,
    view_name: str,
    view: View,
    shard: int,
    out_array: Path,
    out_index: Path,
    out_exclusions: Path,
    orientation: str | None = None,
    spacing_mm: Sequence[float] | None = None,
) -> None:
    """Decode a shard's images and bring them to the canonical grid: float16 ``[rows,
    *view.shape]``, rows in the order of ``case_id``.

    An image that cannot be used becomes a row of exclusions (stage ``volumes``, scope ``case``) and
    no row of the array; a point that a person should check in an image that is used is a row of
    scope ``flag``. One image is in memory at a time, and a shard's result depends on its own images
    alone. ``orientation`` is what the cohort declares for headers that give none, ``spacing_mm``
    for arrays of NumPy (:mod:`kneeoa.formats.numpy_array`).

    Raises:
        KneeoaError: a table or the configuration is not valid.
    """
    people = CASES.read(cases).set_index("case_id")[["subject", "side"]].to_dict("index")
    files = shard_files(images, shard, view_name, "image")
    rows: list[dict[str, Any]] = []
    excluded: list[dict[str, Any]] = []
    started = time.monotonic()
    with row_writer(out_array, view.shape, np.float16) as writer:
        for done, (case_id, file) in enumerate(files.items(), start=1):
            case = {"cohort": cohort, "case_id": case_id, "view": view_name}
            person = people[case_id]
            try:
                image = _ingest(root, file | {"orientation": orientation, "spacing_mm": spacing_mm}, view, person["side"])
            except UnusableImage as error:
                excluded.append({**case, "subject": person["subject"], **exclusion_columns("volumes", "case", error.reason, error.detail)})
                _LOG.warning("%s: %s", case_id, error.detail)
            else:
                place = {"shard": shard, "row": writer.append(image.array), "digest": writer.digest}
                for reason, detail in image.flags:
                    excluded.append({**case, "subject": person["subject"], **exclusion_columns("volumes", "flag", reason, detail)})
                    _LOG.warning("%s: %s", case_id, detail)
                rows.append({**case, **place, "mirrored": view.mirrors and person["side"] == "L", **_index_columns(image)})
                del image  # its voxels would stay beside those of the next
            if done % _PROGRESS_CASES == 0 and done < len(files):
                seconds_left = (time.monotonic() - started) / done * (len(files) - done)
                _LOG.info("%d of %d images, %d unusable, about %.0f s left", done, len(files), done - len(rows), seconds_left)
    VOLUMES.write(out_index, rows)
    EXCLUSIONS.write(out_exclusions, excluded)
    _LOG.info("%s, %s, shard %d: %d volumes, %d unusable", cohort, view_name, shard, len(rows), len(files) - len(rows))


def _ingest(root: Path, file: dict[str, Any], view: View, side: str | None) -> Ingested:
    """Ingest one image; any fault of it becomes :class:`UnusableImage`.

    An unforeseen error is a defect of this code, met on one unusual image. It does not stop the
    shard: the case is excluded under a reason of its own (``unexpected-error``), which the flow
    counts apart, and the log has the place in the code. The error's message is left out, as a
    decoder may quote a header. Too little memory, a wrong configuration and a package that is not
    installed are no image's fault and stop the shard.
    """
    try:
        return ingest(root, file, view, side)
    except (KneeoaError, MemoryError, ImportError):
        raise
    except OSError as error:
        name = Path(file["path"]).name
        raise UnusableImage("unreadable", f"{name}: cannot be read ({error.strerror or type(error).__name__}).") from error
    except Exception as error:
        frames = "".join(traceback.format_tb(error.__traceback__))
        _LOG.error("%s while ingesting %s, at:\n%s", type(error).__name__, file["path"], frames)
        detail = f"{Path(file['path']).name}: {type(error).__name__} where none was foreseen; please report it with the log of this shard."
        raise UnusableImage("unexpected-error", detail) from error


def _index_columns(image: Ingested) -> dict[str, Any]:
    """The columns of the index that record how an image was made."""
    centre = image.source_centre or tuple((size - 1) / 2 for size in image.array.shape)
    joint_row, joint_column = image.joint or (None, None)
    return {
        "source_digest": image.source_digest,
        "source_shape": list(image.source_shape),
        "source_spacing": list(image.source_spacing),
        "source_centre": list(centre),
        "affine": image.affine.ravel().tolist(),
        "low": image.low,
        "high": image.high,
        "mean": image.mean,
        "sd": image.sd,
        "joint_row": joint_row,
        "joint_column": joint_column,
        "joint_fit": image.joint_fit,
        "negative": image.negative,
        "orientation": image.orientation,
    }
