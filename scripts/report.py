"""Rule report: write the report of the study, one self-contained page."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job_logging import job_log
from kneeoa.report.page import Entry, write_report
from kneeoa.report.provenance import provenance_facts

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    figures, tables = snakemake.params.figures, snakemake.params.tables
    write_report(
        study=snakemake.params.study,
        title=snakemake.params.title,
        question=snakemake.params.question,
        arms=snakemake.params.arms,
        figures={Path(file).stem: Entry(Path(file), **figures[Path(file).stem]) for file in snakemake.input.figures},
        tables={Path(file).stem: Entry(Path(file), **tables[Path(file).stem]) for file in snakemake.input.tables},
        flows=[Path(file) for file in snakemake.input.flows],
        imported=[Path(file) for file in snakemake.input.imported],
        provenance=provenance_facts(snakemake.params.digests, [Path(file) for file in snakemake.input.runs]),
        out=Path(snakemake.output.report),
        levels=snakemake.params.levels,
        labels=snakemake.params.labels,
        confidence=snakemake.params.confidence,
        unanswered=snakemake.params.unanswered,
    )
