"""Rule anatomy: summarise saliency on anatomy over subjects and seeds."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.anatomy.summary import summarise
from kneeoa.config.analysis import Statistics
from kneeoa.config.hierarchy import Level
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    statistics = Statistics.model_validate(snakemake.params.statistics)
    level = snakemake.params.level
    summarise(
        overlaps=[Path(file) for file in snakemake.input.overlaps],
        labels=[Path(file) for file in snakemake.input.labels],
        level=None if level is None else Level.model_validate(level),
        methods=tuple(snakemake.params.methods),
        arms=snakemake.params.arms,
        contrasts=statistics.contrasts,
        statistics=statistics,
        out=Path(snakemake.output.summary),
    )
