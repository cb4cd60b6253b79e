"""Rule table_metrics: what each arm achieved."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job import logged
from kneeoa.paper_tables.metrics import write_metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    write_metrics(
        Path(snakemake.input.metrics),
        Path(snakemake.output.csv),
        Path(snakemake.output.tex),
        arms=snakemake.params.arms,
        labels=snakemake.params.labels,
    )
