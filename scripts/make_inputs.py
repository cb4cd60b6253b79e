"""Rule make_inputs: resample one shard of canonical volumes to an arm's grid."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.ingestion.input_grids import resample_shard
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    resample_shard(
        array=Path(snakemake.input.array),
        index=Path(snakemake.input.index),
        shape=tuple(snakemake.params.shape),
        out_array=Path(snakemake.output.array),
        out_index=Path(snakemake.output.index),
    )
