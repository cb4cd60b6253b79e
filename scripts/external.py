"""Rule external: results of every arm and ensemble on external cohorts."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.external import build_external
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    build_external(
        [Path(file) for file in snakemake.input.predictions],
        snakemake.params.external,
        tuple(Level.model_validate(level) for level in snakemake.params.levels),
        Statistics.model_validate(snakemake.params.statistics),
        Path(snakemake.output.external),
    )
