"""Rule similarity: compare the representations of all runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.geometry.similarity import compare_runs
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    compare_runs(
        [Path(file) for file in snakemake.input.embeddings],
        arms=snakemake.params.arms,
        study=snakemake.params.study,
        confidence=snakemake.params.confidence,
        varied=snakemake.params.varied,
        out=Path(snakemake.output.similarity),
    )
