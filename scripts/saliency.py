"""Rule saliency: maps of what one run looks at."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Saliency
from kneeoa.job import logged
from kneeoa.saliency.explain import explain_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    explain_run(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        run=Path(snakemake.input.weights).parent,
        arrays=[Path(file) for file in snakemake.input.arrays],
        indices=[Path(file) for file in snakemake.input.indices],
        splits=[Path(file) for file in snakemake.input.splits],
        view=snakemake.params.view,
        target_level=snakemake.params.target,
        saliency=Saliency.model_validate(snakemake.params.saliency),
        batch=snakemake.params.batch,
        threads=snakemake.params.threads,
        out_maps=Path(snakemake.output.maps),
        out_index=Path(snakemake.output.index),
    )
