"""Rule figure_axis: the severity axis of every arm."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.axis import draw
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    draw(
        axes=[Path(file) for file in snakemake.input.axes],
        measures=[Path(file) for file in snakemake.input.measures],
        arms=snakemake.params.arms,
        axis=snakemake.params.axis,
        level=snakemake.params.level["name"],
        classes=snakemake.params.level["classes"],
        confidence=snakemake.params.confidence,
        figures=Figures.model_validate(snakemake.params.figures),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
