"""Rule quality: rank a cohort's images and masks, and draw pages of pictures of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.quality import draw
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    draw(
        volume_arrays=[Path(file) for file in snakemake.input.volume_arrays],
        volume_indices=[Path(file) for file in snakemake.input.volume_indices],
        mask_arrays=[Path(file) for file in snakemake.input.mask_arrays],
        mask_indices=[Path(file) for file in snakemake.input.mask_indices],
        cartilage=[Path(file) for file in snakemake.input.cartilage],
        exclusions=[Path(file) for file in [*snakemake.input.volume_exclusions, *snakemake.input.mask_exclusions]],
        tissues=snakemake.params.tissues,
        cohort=snakemake.wildcards.cohort,
        view=snakemake.wildcards.view,
        cases=snakemake.params.cases,
        figures=Figures.model_validate(snakemake.params.figures),
        out_table=Path(snakemake.output.table),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
