"""Rule subgroups: compare arms within subgroups of cases, and test the interactions."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.subgroups import build_subgroups
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    levels = tuple(Level.model_validate(level) for level in snakemake.params.levels)

    build_subgroups(
        [Path(file) for file in snakemake.input.predictions],
        [Path(file) for file in snakemake.input.cases],
        snakemake.params.arms,
        levels,
        Statistics.model_validate(snakemake.params.statistics),
        Path(snakemake.output.subgroups),
    )
