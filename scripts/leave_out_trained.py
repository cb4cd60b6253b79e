"""Rule leave_out_trained: leave out of validation and test whoever is trained on elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.job_logging import job_log
from kneeoa.splits.trained_on import leave_out_trained

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    leave_out_trained(
        name=snakemake.wildcards.cohort,
        same_people=snakemake.params.same_people,
        splits=[Path(file) for file in snakemake.input.splits],
        volumes=[Path(file) for file in snakemake.input.volumes],
        out_splits=Path(snakemake.output.splits),
        out_exclusions=Path(snakemake.output.exclusions),
    )
