"""Rule figure_learning: learning curves of every run."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.learning import draw
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    draw(
        histories=[Path(file) for file in snakemake.input.histories],
        arms=snakemake.params.arms,
        figures=Figures.model_validate(snakemake.params.figures),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
