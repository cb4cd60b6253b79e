"""Rule read_cohort: read a source's tables and folders to one row per case."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.cohorts.build import build_cohort
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    cohort = Cohort.model_validate(snakemake.params.cohort)
    build_cohort(
        cohort,
        snakemake.wildcards.cohort,
        Path(cohort.root or ""),
        tuple(Level.model_validate(level) for level in snakemake.params.levels),
        cases=Path(snakemake.output.cases),
        images=Path(snakemake.output.images),
        labels=Path(snakemake.output.labels),
        exclusions=Path(snakemake.output.exclusions),
    )
