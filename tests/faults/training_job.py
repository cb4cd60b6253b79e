"""A training job as the workflow starts one, on a tiny study: `python -m tests.faults.training_job
STUDY OUT LOG`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kneeoa.job_logging import job_log
from kneeoa.training.run import train
from tests.unit.training import tiny_study

if __name__ == "__main__":
    study, out, log = map(Path, sys.argv[1:])
    with job_log(log):
        train(**tiny_study.job(tiny_study.make(study), out))
