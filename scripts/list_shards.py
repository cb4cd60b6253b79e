"""Rule list_shards: list the shards of a cohort and view in one file."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.ingestion.shard_list import list_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    list_shards(
        [Path(file) for file in snakemake.input.arrays],
        [Path(file) for file in snakemake.input.indices],
        Path(snakemake.output.shards),
    )
