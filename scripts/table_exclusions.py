"""Rule table_exclusions: every case that could not be used, with its reason."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job import logged
from kneeoa.paper_tables.exclusions import write_exclusions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    write_exclusions(
        [Path(file) for file in snakemake.input.exclusions],
        Path(snakemake.output.csv),
        Path(snakemake.output.tex),
        labels=snakemake.params.labels,
    )
