"""Rule describe_shard: record what one shard is made from, besides files."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.atomic_io import write_json
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    write_json(Path(snakemake.output.recipe), snakemake.params.recipe)
