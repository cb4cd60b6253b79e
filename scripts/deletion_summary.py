"""Rule deletion_summary: summarise deletions over subjects and seeds."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.anatomy.deletion_summary import summarise_deletion
from kneeoa.config.analysis import Statistics
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    summarise_deletion(
        deletions=[Path(file) for file in snakemake.input.deletions],
        group=snakemake.params.group,
        statistics=Statistics.model_validate(snakemake.params.statistics),
        out=Path(snakemake.output.summary),
    )
