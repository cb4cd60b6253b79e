"""Rule figure_flow: from cases found to cases analysed."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.flow import draw
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    draw(
        flows=[Path(file) for file in snakemake.input.flows],
        levels=snakemake.params.levels,
        figures=Figures.model_validate(snakemake.params.figures),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
