"""Rule make_volumes: convert one shard's raw images to canonical volumes."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.volumes import View
from kneeoa.ingestion.shard import make_volumes
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    make_volumes(
        images=Path(snakemake.input.images),
        cases=Path(snakemake.input.cases),
        root=Path(snakemake.params.root),
        cohort=snakemake.wildcards.cohort,
        view_name=snakemake.wildcards.view,
        view=View.model_validate(snakemake.params.view),
        shard=int(snakemake.wildcards.shard),
        out_array=Path(snakemake.output.array),
        out_index=Path(snakemake.output.index),
        out_exclusions=Path(snakemake.output.exclusions),
        orientation=snakemake.params.orientation,
        spacing_mm=snakemake.params.spacing_mm,
    )
