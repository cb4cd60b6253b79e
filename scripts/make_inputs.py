"""Rule make_inputs: one shard of canonical volumes on an arm's own grid."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.images.grids import resample_shard
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    resample_shard(Path(snakemake.input.array), Path(snakemake.output.array), tuple(snakemake.params.shape))
