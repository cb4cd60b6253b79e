"""Rule embed_raw_images: compute the principal components of the raw images."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.geometry.raw_images import embed_raw_images
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    embed_raw_images(
        study=snakemake.params.study,
        name=snakemake.params.name,
        arrays=arrays,
        indices=indices,
        splits=[Path(file) for file in snakemake.input.splits],
        shape=snakemake.params.shape,
        grid=snakemake.params.grid,
        out=Path(snakemake.output.embeddings),
    )
