"""Rule ensemble: combine the predictions of several runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.inference.ensemble import ensemble
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    ensemble(
        name=snakemake.wildcards.ensemble,
        members=[Path(file) for file in snakemake.input.members],
        levels=tuple(Level.model_validate(level) for level in snakemake.params.levels),
        how=snakemake.params.combine,
        out=Path(snakemake.output.predictions),
        out_weights=Path(snakemake.output.weights),
    )
