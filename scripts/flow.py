"""Rule flow: account for every case of a cohort."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.job_logging import job_log
from kneeoa.splits.flow import count_flow

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    count_flow(
        name=snakemake.wildcards.cohort,
        levels=tuple(Level.model_validate(level) for level in snakemake.params.levels),
        cases=Path(snakemake.input.cases),
        labels=Path(snakemake.input.labels),
        splits=Path(snakemake.input.splits),
        exclusions=[Path(file) for file in snakemake.input.exclusions],
        out_exclusions=Path(snakemake.output.exclusions),
        out_flow=Path(snakemake.output.flow),
    )
