"""Rule saliency_randomised: maps of one run's network with randomised weights."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Saliency
from kneeoa.images.shard_list import listed_shards
from kneeoa.job import logged
from kneeoa.saliency.explain import Run
from kneeoa.saliency.randomised import explain_randomised

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    explain_randomised(
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
