"""Rule import_predictions: convert a prediction table made elsewhere to this workflow's."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Imports
from kneeoa.config.hierarchy import Level
from kneeoa.inference.import_predictions import import_predictions
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    levels = tuple(Level.model_validate(level) for level in snakemake.params.levels)

    import_predictions(
        Imports.model_validate(snakemake.params.imports),
        snakemake.wildcards.arm,
        levels,
        snakemake.params.study,
        Path(snakemake.input.table).parent,
        Path(snakemake.output.predictions),
        Path(snakemake.output.account),
    )
