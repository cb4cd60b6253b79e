"""Rule list_shards: list the shards of a cohort and view in one file."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.images.shard_list import list_shards
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    list_shards(
        [Path(file) for file in snakemake.input.arrays],
        [Path(file) for file in snakemake.input.indices],
        Path(snakemake.output.shards),
    )
