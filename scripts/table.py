"""Rule table: write one table as CSV and LaTeX by what its module declares."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job_logging import job_log
from kneeoa.paper_tables.table_files import write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    files = snakemake.input.items()
    write_table(
        snakemake.wildcards.table,
        **{name: Path(file) if isinstance(file, str) else [Path(each) for each in file] for name, file in files},
        **snakemake.params.settings,
        labels=snakemake.params.labels,
        out_csv=Path(snakemake.output.csv),
        out_tex=Path(snakemake.output.tex),
    )
