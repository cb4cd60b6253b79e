"""Rule predict_parts: predict every case with each part of one run's plug-in."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.inference.part_predictions import predict_parts
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    predict_parts(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        run=Path(snakemake.input.weights).parent,
        arrays=arrays,
        indices=indices,
        splits=[Path(file) for file in snakemake.input.splits],
        labels=[Path(file) for file in snakemake.input.labels],
        levels=tuple(Level.model_validate(level) for level in snakemake.params.levels),
        batch=snakemake.params.batch,
        threads=snakemake.params.threads,
        out=Path(snakemake.output.parts),
    )
