"""Rule deletion: what becomes of one run's score without a tissue."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Anatomy
from kneeoa.job import logged
from kneeoa.saliency.deletion import delete_run

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    delete_run(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        folder=Path(snakemake.input.weights).parent,
        arrays=[Path(file) for file in snakemake.input.arrays],
        indices=[Path(file) for file in snakemake.input.indices],
        splits=[Path(file) for file in snakemake.input.splits],
        labels=[Path(file) for file in snakemake.input.labels],
        mask_arrays=[Path(file) for file in snakemake.input.mask_arrays],
        mask_indices=[Path(file) for file in snakemake.input.mask_indices],
        view=snakemake.params.view,
        target_level=snakemake.params.target,
        tissues=snakemake.params.tissues,
        spacing=tuple(snakemake.params.spacing),
        anatomy=Anatomy.model_validate(snakemake.params.anatomy),
        batch=snakemake.params.batch,
        threads=snakemake.params.threads,
        out=Path(snakemake.output.deletion),
    )
