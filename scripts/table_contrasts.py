"""Rule table_contrasts: candidate against reference."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job import logged
from kneeoa.paper_tables.contrasts import write_contrasts

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    write_contrasts(
        Path(snakemake.input.contrasts),
        Path(snakemake.output.csv),
        Path(snakemake.output.tex),
        arms=snakemake.params.arms,
        labels=snakemake.params.labels,
    )
