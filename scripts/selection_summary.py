"""Rule selection_summary: summarise the shares of chosen locations on tissues."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.anatomy.selection_summary import summarise_selections
from kneeoa.config.analysis import Statistics
from kneeoa.config.hierarchy import Level
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    level = snakemake.params.level
    summarise_selections(
        shares=[Path(file) for file in snakemake.input.shares],
        labels=[Path(file) for file in snakemake.input.labels],
        level=None if level is None else Level.model_validate(level),
        statistics=Statistics.model_validate(snakemake.params.statistics),
        out=Path(snakemake.output.summary),
    )
