"""Rule figure_decision: net benefit of the coarsest binary level."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.decision import draw
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    draw(
        predictions=[Path(file) for file in snakemake.input.predictions],
        arms=snakemake.params.arms,
        level=snakemake.params.level,
        confidence=snakemake.params.confidence,
        figures=Figures.model_validate(snakemake.params.figures),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
