"""Rule figure_readers: arms and their differences against the noise of the labels they learn
from.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.readers import draw
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    draw(
        table=Path(snakemake.input.readers),
        arms=snakemake.params.arms,
        confidence=snakemake.params.confidence,
        figures=Figures.model_validate(snakemake.params.figures),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
