"""Rule phantom_radiographs: take the radiographs of one release folder."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.phantom import Phantom
from kneeoa.job_logging import job_log
from kneeoa.phantom.film_release import write_films

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    write_films(
        Phantom.model_validate(snakemake.params.phantom),
        snakemake.wildcards.cohort,
        snakemake.wildcards.release,
        Path(snakemake.output.images),
        Path(snakemake.output.masks),
    )
