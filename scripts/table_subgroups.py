"""Rule table_subgroups: the subgroups as CSV and LaTeX."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job import logged
from kneeoa.paper_tables.subgroups import write_subgroups

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    write_subgroups(
        Path(snakemake.input.subgroups),
        Path(snakemake.output.csv),
        Path(snakemake.output.tex),
        arms=snakemake.params.arms,
        labels=snakemake.params.labels,
    )
