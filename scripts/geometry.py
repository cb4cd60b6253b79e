"""Rule geometry: fit the severity axis of one run, and measure its representation."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Geometry
from kneeoa.config.hierarchy import Level
from kneeoa.geometry.cases import CaseTables
from kneeoa.geometry.run_measures import measure_run
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    levels = tuple(Level.model_validate(level) for level in snakemake.params.levels)

    measure_run(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        embeddings=Path(snakemake.input.embeddings),
        sources=CaseTables(
            labels=[Path(file) for file in snakemake.input.labels],
            truth=[Path(file) for file in snakemake.input.truth],
            masks=listed_shards(snakemake.input.masks)[1],
        ),
        levels=levels,
        geometry=Geometry.model_validate(snakemake.params.geometry),
        out_axis=Path(snakemake.output.axis),
        out_measures=Path(snakemake.output.measures),
    )
