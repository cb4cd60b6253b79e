"""Rule readers: compute each contrast at every reader's noise, and its slope."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.readers import build_readers
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    build_readers(
        [Path(file) for file in snakemake.input.predictions],
        [Path(file) for file in snakemake.input.agreements],
        snakemake.params.arms,
        tuple(Level.model_validate(level) for level in snakemake.params.levels),
        Statistics.model_validate(snakemake.params.statistics),
        Path(snakemake.output.readers),
    )
