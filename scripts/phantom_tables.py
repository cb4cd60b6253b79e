"""Rule phantom_tables: write the phantom's tables of images and readings, and its truth."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.phantom import Phantom
from kneeoa.job_logging import job_log
from kneeoa.phantom.release import write_tables, write_truth

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    phantom = Phantom.model_validate(snakemake.params.phantom)
    write_tables(phantom, snakemake.wildcards.cohort, Path(snakemake.output.contents).parent)
    write_truth(phantom, snakemake.wildcards.cohort, Path(snakemake.output.truth))
