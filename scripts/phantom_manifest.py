"""Rule phantom_manifest: write the table of the phantom's pictures of one knee, and its truth."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.phantom import Phantom
from kneeoa.job_logging import job_log
from kneeoa.phantom.release import write_manifest, write_truth

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    phantom = Phantom.model_validate(snakemake.params.phantom)
    write_manifest(phantom, snakemake.wildcards.cohort, Path(snakemake.output.table).parent)
    write_truth(phantom, snakemake.wildcards.cohort, Path(snakemake.output.truth))
