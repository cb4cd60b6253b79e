"""Rule table_arms: the arms table."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job import logged
from kneeoa.paper_tables.arms import write_arms

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    write_arms(
        snakemake.params.arms,
        Path(snakemake.output.csv),
        Path(snakemake.output.tex),
        labels=snakemake.params.labels,
    )
