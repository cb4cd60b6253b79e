"""Print the jobs that made a file of a study, the nearest first, with the digests of their code and
of what they read:

    python -m kneeoa.provenance.trace results/phantom/tables/contrasts.csv
    python -m kneeoa.provenance.trace results/phantom/tables/contrasts.csv --rule train_run --inputs

Call it in the folder of the workflow: it reads Snakemake's records there, and no other file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath

from kneeoa.errors import KneeoaError
from kneeoa.provenance.records import Job, read_jobs, upstream_jobs
from kneeoa.reruns.snakemake_records import RECORDS


def format_trace(jobs: list[Job], *, inputs: bool) -> Iterator[str]:
    """Format the jobs, the last one first, with the files that each read: all of them with
    ``inputs``, else how many.
    """
    for job in reversed(jobs):
        ended = datetime.fromtimestamp(round(job.ended), UTC).isoformat()
        yield f"{job.name}  ended {ended}  code or raw files {', '.join(job.digests) or 'none'}  read {len(job.inputs)} files"
        for path, digest in job.inputs if inputs else ():
            yield f"    {digest[:16] or 'no digest':16s}  {path}"


def main() -> None:
    """Print the jobs behind one file."""
    parser = argparse.ArgumentParser(
        prog="python -m kneeoa.provenance.trace", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="a file below results/<study>, as seen from the folder of the workflow")
    parser.add_argument("--inputs", action="store_true", help="list every file that each job read, with its SHA-256 shortened")
    parser.add_argument("--rule", help="only jobs of this rule, e.g. train_run")
    options = parser.parse_args()
    try:
        root = "/".join(PurePosixPath(options.file).parts[:2])
        jobs = upstream_jobs(read_jobs(RECORDS, root), [options.file])
    except KneeoaError as error:
        sys.exit(str(error))
    for line in format_trace([job for job in jobs if options.rule in (None, job.rule)], inputs=options.inputs):
        print(line)


if __name__ == "__main__":
    main()
