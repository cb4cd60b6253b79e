"""Rule saliency: maps of what one run looks at, by one method."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Saliency
from kneeoa.images.shard_list import listed_shards
from kneeoa.job import logged
from kneeoa.saliency.explain import Run, explain_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    explain_run(
        run=Run(
            study=snakemake.params.study,
            arm=snakemake.wildcards.arm,
            seed=int(snakemake.wildcards.seed),
            view=snakemake.params.view,
            method=snakemake.wildcards.method,
            target_level=snakemake.params.target,
            saliency=Saliency.model_validate(snakemake.params.saliency),
            batch=snakemake.params.batch,
        ),
        folder=Path(snakemake.input.weights).parent,
        arrays=arrays,
        indices=indices,
        splits=[Path(file) for file in snakemake.input.splits],
        labels=[Path(file) for file in snakemake.input.labels],
        threads=snakemake.params.threads,
        out_maps=Path(snakemake.output.maps),
        out_index=Path(snakemake.output.index),
    )
