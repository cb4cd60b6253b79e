"""Rule deletion: measure the change of one run's score when a tissue is deleted."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.anatomy.deletion import delete_run
from kneeoa.config.analysis import Anatomy
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    mask_arrays, mask_indices = listed_shards(snakemake.input.masks)
    delete_run(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        folder=Path(snakemake.input.weights).parent,
        arrays=arrays,
        indices=indices,
        splits=[Path(file) for file in snakemake.input.splits],
        labels=[Path(file) for file in snakemake.input.labels],
        mask_arrays=mask_arrays,
        mask_indices=mask_indices,
        view=snakemake.params.view,
        target=snakemake.params.target,
        tissues=snakemake.params.tissues,
        spacing=tuple(snakemake.params.spacing),
        anatomy=Anatomy.model_validate(snakemake.params.anatomy),
        batch=snakemake.params.batch,
        threads=snakemake.params.threads,
        out=Path(snakemake.output.deletion),
    )
