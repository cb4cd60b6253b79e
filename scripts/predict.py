"""Rule predict: predict every case with one run."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.inference.predict import predict
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    levels = tuple(Level.model_validate(level) for level in snakemake.params.levels)

    predict(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        run=Path(snakemake.input.weights).parent,
        arrays=arrays,
        indices=indices,
        splits=[Path(file) for file in snakemake.input.splits],
        labels=[Path(file) for file in snakemake.input.labels],
        levels=levels,
        batch=snakemake.params.batch,
        threads=snakemake.params.threads,
        out_predictions=Path(snakemake.output.predictions),
        out_embeddings=Path(snakemake.output.embeddings),
        out_temperature=Path(snakemake.output.temperature),
        flips=tuple(snakemake.params.flips),
        temperature=snakemake.params.temperature,
    )
