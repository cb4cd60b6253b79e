"""Rule figure_saliency: saliency over anatomy."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.saliency import draw
from kneeoa.images.shard_list import listed_shards
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    volume_arrays, volume_indices = listed_shards(snakemake.input.volumes)
    mask_arrays, mask_indices = listed_shards(snakemake.input.masks)
    draw(
        maps=[Path(file) for file in snakemake.input.maps],
        map_indices=[Path(file) for file in snakemake.input.map_indices],
        volume_arrays=volume_arrays,
        volume_indices=volume_indices,
        mask_arrays=mask_arrays,
        mask_indices=mask_indices,
        labels=[Path(file) for file in snakemake.input.labels],
        splits=[Path(file) for file in snakemake.input.splits],
        arms=snakemake.params.arms,
        tissues=snakemake.params.tissues,
        targets=snakemake.params.targets,
        view=snakemake.params.view,
        level=snakemake.params.level,
        figures=Figures.model_validate(snakemake.params.figures),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
