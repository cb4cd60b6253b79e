"""Rule raters: compute each contrast at every rater's noise, and its slope."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.raters import build_raters
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    build_raters(
        [Path(file) for file in snakemake.input.predictions],
        [Path(file) for file in snakemake.input.agreements],
        snakemake.params.arms,
        tuple(Level.model_validate(level) for level in snakemake.params.levels),
        Statistics.model_validate(snakemake.params.statistics),
        Path(snakemake.output.raters),
    )
