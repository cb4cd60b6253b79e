"""Rule saliency: maps of what one run looks at."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Saliency
from kneeoa.config.hierarchy import Level
from kneeoa.job import logged
from kneeoa.saliency.stage import explain_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    levels = tuple(Level.model_validate(level) for level in snakemake.params.levels)

    explain_run(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        run=Path(snakemake.input.weights).parent,
        arrays=[Path(file) for file in snakemake.input.arrays],
        indices=[Path(file) for file in snakemake.input.indices],
        splits=[Path(file) for file in snakemake.input.splits],
        target_level=snakemake.params.target,
        saliency=Saliency.model_validate(snakemake.params.saliency),
        batch=snakemake.params.batch,
        threads=snakemake.params.threads,
        out_maps=Path(snakemake.output.maps),
        out_index=Path(snakemake.output.index),
    )
