"""Rule contrasts: compare candidate with reference arms on the same cases."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.build import build_contrasts
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    levels = tuple(Level.model_validate(level) for level in snakemake.params.levels)

    build_contrasts(
        [Path(file) for file in snakemake.input.predictions],
        snakemake.params.arms,
        levels,
        Statistics.model_validate(snakemake.params.statistics),
        Path(snakemake.output.contrasts),
    )
