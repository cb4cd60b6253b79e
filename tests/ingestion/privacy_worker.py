"""Ingestion as loud as it can be: every stage with all logging and warnings on.

``python -m tests.ingestion.privacy_worker <raw> <flat> <out>``
"""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

from kneeoa.cohorts.raw_digests import raw_digests
from kneeoa.config.volumes import View
from kneeoa.ingestion.shard import make_volumes
from kneeoa.job_logging import job_log
from tests.ingestion.faults.knees import VIEW
from tests.ingestion.faults.radiographs import SHAPE
from tests.ingestion.stages import build_tables, cohort, run_masks, run_volumes


def main(raw: Path, flat: Path, out: Path) -> None:
    """Run the stages of a cohort of volumes with masks, and the volumes stage of one of
    radiographs.
    """
    out.mkdir(exist_ok=True)
    warnings.simplefilter("always")
    logging.captureWarnings(False)
    logging.basicConfig(level=logging.DEBUG, handlers=[logging.FileHandler(out / "everything.log"), logging.StreamHandler(sys.stdout)])
    with job_log(out / "job.log"):
        logging.getLogger("kneeoa").setLevel(logging.DEBUG)
        print(raw_digests(raw, cohort(1, masks=True)))
        build_tables(raw, out, cohort(1, masks=True))
        run_volumes(raw, out, VIEW, 0)
        run_masks(raw, out, 0)
        make_volumes(
            images=flat / "images.parquet", cases=flat / "cases.parquet", root=flat, cohort="flat", view_name="pa", shard=0,
            view=View(dimensions=2, shape=SHAPE, fit="extent", negatives="keep"),
            out_array=out / "flat.npy", out_index=out / "flat.parquet", out_exclusions=out / "flat.exclusions.parquet",
        )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
