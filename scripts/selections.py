"""Rule selections: write what one run's plug-in chose in each test case."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.inference.selections import write_selections
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    write_selections(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        view=snakemake.params.view,
        run=Path(snakemake.input.weights).parent,
        arrays=arrays,
        indices=indices,
        splits=[Path(file) for file in snakemake.input.splits],
        labels=[Path(file) for file in snakemake.input.labels],
        levels=tuple(Level.model_validate(level) for level in snakemake.params.levels),
        pictured=snakemake.params.pictured,
        batch=snakemake.params.batch,
        threads=snakemake.params.threads,
        out=Path(snakemake.output.selections),
    )
