"""Rule selection_shares: measure how much of what one run's plug-in chose lies on tissues."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.anatomy.selection_shares import measure_selections
from kneeoa.config.analysis import Anatomy
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    mask_arrays, mask_indices = listed_shards(snakemake.input.masks)
    measure_selections(
        selections=Path(snakemake.input.selections),
        mask_arrays=mask_arrays,
        mask_indices=mask_indices,
        tissues=snakemake.params.tissues,
        anatomy=Anatomy.model_validate(snakemake.params.anatomy),
        out=Path(snakemake.output.shares),
    )
