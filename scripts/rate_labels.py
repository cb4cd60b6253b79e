"""Rule rate_labels: read a cohort's training and validation labels again as a noisy rater."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.job_logging import job_log
from kneeoa.labels.rater_labels import rate_labels

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    rate_labels(
        rater=snakemake.wildcards.rater,
        level=snakemake.params.level,
        confusion=snakemake.params.confusion,
        seed=snakemake.params.seed,
        levels=tuple(Level.model_validate(level) for level in snakemake.params.levels),
        labels=Path(snakemake.input.labels),
        splits=Path(snakemake.input.splits),
        out_labels=Path(snakemake.output.labels),
        out_agreement=Path(snakemake.output.agreement),
    )
