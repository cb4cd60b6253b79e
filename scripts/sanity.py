"""Rule sanity: check whether maps change with the weights, and whether they agree between seeds."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.anatomy.sanity import check_maps
from kneeoa.central_crop import Taken
from kneeoa.config.analysis import Anatomy, Statistics
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    mask_arrays, mask_indices = listed_shards(snakemake.input.masks)
    check_maps(
        maps=[(Path(maps), Path(index)) for maps, index in zip(snakemake.input.maps, snakemake.input.indices, strict=True)],
        randomised=[
            (Path(maps), Path(index))
            for maps, index in zip(snakemake.input.randomised_maps, snakemake.input.randomised_indices, strict=True)
        ],
        mask_arrays=mask_arrays,
        mask_indices=mask_indices,
        splits=[Path(file) for file in snakemake.input.splits],
        tissues=snakemake.params.tissues,
        spacings={view: tuple(spacing) for view, spacing in snakemake.params.spacings.items()},
        anatomy=Anatomy.model_validate(snakemake.params.anatomy),
        statistics=Statistics.model_validate(snakemake.params.statistics),
        taken={arm: taken for arm, content in snakemake.params.taken.items() if (taken := Taken.of(content)) is not None},
        out=Path(snakemake.output.sanity),
    )
