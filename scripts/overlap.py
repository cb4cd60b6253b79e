"""Rule overlap: measure the overlap of one run's saliency with the tissues."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.anatomy.run_overlap import measure_run
from kneeoa.central_crop import Taken
from kneeoa.config.analysis import Anatomy
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    mask_arrays, mask_indices = listed_shards(snakemake.input.masks)
    measure_run(
        maps=Path(snakemake.input.maps),
        index=Path(snakemake.input.index),
        mask_arrays=mask_arrays,
        mask_indices=mask_indices,
        splits=[Path(file) for file in snakemake.input.splits],
        tissues=snakemake.params.tissues,
        spacing=tuple(snakemake.params.spacing),
        anatomy=Anatomy.model_validate(snakemake.params.anatomy),
        taken=Taken.of(snakemake.params.taken),
        out=Path(snakemake.output.overlap),
    )
