"""Rule figure_claim: prediction, axis and saliency side by side."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.claim import draw
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    draw(
        claim=Path(snakemake.input.claim),
        arms=snakemake.params.arms,
        confidence=snakemake.params.confidence,
        figures=Figures.model_validate(snakemake.params.figures),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
