"""Rule table_geometry: measures of the representation."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job import logged
from kneeoa.paper_tables.geometry import write_geometry

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    write_geometry(
        [Path(file) for file in snakemake.input.measures],
        Path(snakemake.output.csv),
        Path(snakemake.output.tex),
        arms=snakemake.params.arms,
        labels=snakemake.params.labels,
    )
