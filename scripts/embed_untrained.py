"""Rule embed_untrained: embed every case with an untrained network."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.inference.untrained import embed_untrained
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log
from kneeoa.network.model import ModelSpec

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    embed_untrained(
        study=snakemake.params.study,
        name=snakemake.params.name,
        seed=int(snakemake.wildcards.seed),
        spec=ModelSpec.from_json(snakemake.params.network),
        arrays=arrays,
        indices=indices,
        splits=[Path(file) for file in snakemake.input.splits],
        batch=snakemake.params.batch,
        threads=snakemake.params.threads,
        out=Path(snakemake.output.embeddings),
    )
