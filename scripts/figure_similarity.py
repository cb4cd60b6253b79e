"""Rule figure_similarity: how alike the representations of all runs are."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.similarity import draw
from kneeoa.job import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    draw(
        Path(snakemake.input.similarity),
        snakemake.params.arms,
        Figures.model_validate(snakemake.params.figures),
        Path(snakemake.output.pdf),
        Path(snakemake.output.png),
    )
