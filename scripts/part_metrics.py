"""Rule part_metrics: measure what each part of one arm's plug-in achieves by itself."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.part_metrics import build_part_metrics
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    build_part_metrics(
        [Path(file) for file in snakemake.input.parts],
        tuple(Level.model_validate(level) for level in snakemake.params.levels),
        Statistics.model_validate(snakemake.params.statistics),
        Path(snakemake.output.metrics),
    )
