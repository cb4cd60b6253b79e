"""Rule table_anatomy: saliency on anatomy."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job import logged
from kneeoa.paper_tables.anatomy import write_anatomy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    write_anatomy(
        Path(snakemake.input.summary),
        Path(snakemake.output.csv),
        Path(snakemake.output.tex),
        arms=snakemake.params.arms,
        labels=snakemake.params.labels,
    )
