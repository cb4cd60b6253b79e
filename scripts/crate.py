"""Rule crate: write the study, its workflow and how each result was made into one file."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job_logging import job_log
from kneeoa.provenance.crate import StudyFiles, write_crate
from kneeoa.reruns.snakemake_records import RECORDS

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    write_crate(
        StudyFiles(
            study=snakemake.params.study,
            title=snakemake.params.title,
            question=snakemake.params.question,
            root=snakemake.params.root,
            products=[Path(file) for file in snakemake.input.products],
            details=[Path(file) for file in snakemake.input.details],
            configuration=snakemake.params.configuration,
        ),
        records=RECORDS,
        snakemake=snakemake.params.snakemake,
        out=Path(snakemake.output.crate),
    )
