"""Rule make_inputs: resample one shard of canonical volumes to an arm's grid."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.images.grids import resample_shard
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    resample_shard(
        array=Path(snakemake.input.array),
        index=Path(snakemake.input.index),
        shape=tuple(snakemake.params.shape),
        out_array=Path(snakemake.output.array),
        out_index=Path(snakemake.output.index),
    )
