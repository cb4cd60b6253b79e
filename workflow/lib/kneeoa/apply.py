"""Predict new images with finished runs, outside any study: ``python -m kneeoa.apply --help``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from kneeoa.errors import KneeoaError

_LOG = logging.getLogger("kneeoa")

EXAMPLES = """\
examples:
  One run, a folder of images, the side taken from names or headers:
    python -m kneeoa.apply results/phantom/runs/resnet3d-dual/seed-1 --images new_knees/ --out predictions.parquet --csv

  The mean of three seeds, right knees, with calibrated probabilities:
    python -m kneeoa.apply results/phantom/runs/resnet3d-dual/seed-* --images new_knees/ --side R --calibrated --out predictions.parquet

  Bilateral radiographs that a table lists (columns path and case):
    python -m kneeoa.apply results/radiographs/runs/lite0-dual/seed-1 --images films.csv --shows both --out predictions.parquet
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m kneeoa.apply",
        description="Predict new images with one finished run, or with the average of several.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="folder with weights.safetensors and model.json; the predictions of several are averaged",
    )
    parser.add_argument(
        "--images",
        required=True,
        type=Path,
        help="a folder of DICOM series or image files, one image, or a table with the column path (and case, side, shows, row, column)",
    )
    parser.add_argument(
        "--out", required=True, type=Path, help="Parquet table to write; images that cannot be used are listed in <out>.exclusions.parquet"
    )
    parser.add_argument("--csv", action="store_true", help="also write <out>.csv, one row per case, level, head and class")
    parser.add_argument("--side", choices=("L", "R"), help="side of all images; by default that of the table, the name or the DICOM header")
    parser.add_argument("--shows", choices=("knee", "both"), default="knee", help="both: bilateral radiographs, each of which is two cases")
    parser.add_argument(
        "--orientation", metavar="CODES", help="orientation of volumes whose header gives none, e.g. PIR, as a cohort's 'orientation'"
    )
    parser.add_argument("--combine", choices=("mean", "logit_mean"), default="mean", help="how several runs are combined")
    parser.add_argument(
        "--flips",
        nargs="+",
        default=(),
        metavar="DIRECTION",
        help="also predict mirror images along: left_right, superior_inferior, anterior_posterior",
    )
    parser.add_argument("--calibrated", action="store_true", help="apply the temperature in each run's temperature.json")
    parser.add_argument("--batch", type=int, default=8, help="cases at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads of the CPU")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 1 with one sentence on standard error where the input is bad."""
    chosen = parser().parse_args(arguments)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    try:
        from kneeoa.inference.apply import apply, write_csv

        apply(
            runs=chosen.runs,
            images=chosen.images,
            out=chosen.out,
            out_exclusions=chosen.out.with_name(f"{chosen.out.stem}.exclusions.parquet"),
            side=chosen.side,
            shows=chosen.shows,
            orientation=chosen.orientation,
            how=chosen.combine,
            flips=chosen.flips,
            calibrated=chosen.calibrated,
            batch=chosen.batch,
            threads=chosen.threads,
        )
        if chosen.csv:
            write_csv(chosen.out, chosen.out.with_suffix(".csv"))
    except KneeoaError as error:
        _LOG.error("%s", error)
        return 1
    finally:
        _LOG.removeHandler(handler)
    return 0


if __name__ == "__main__":
    sys.exit(main())
