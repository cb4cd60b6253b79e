"""Rule make_splits: divide a cohort's subjects into training, validation and test."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.cohorts import Split
from kneeoa.config.hierarchy import Level
from kneeoa.job_logging import job_log
from kneeoa.splits.make import make_splits

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    make_splits(
        name=snakemake.wildcards.cohort,
        role=snakemake.params.role,
        split=Split.model_validate(snakemake.params.split),
        levels=tuple(Level.model_validate(level) for level in snakemake.params.levels),
        views=tuple(snakemake.params.views),
        cases=Path(snakemake.input.cases),
        labels=Path(snakemake.input.labels),
        volumes=[Path(file) for file in snakemake.input.volumes],
        exclusions=[Path(file) for file in snakemake.input.exclusions],
        out_splits=Path(snakemake.output.splits),
        others=[Path(file) for file in snakemake.input.others],
    )
