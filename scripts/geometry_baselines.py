"""Rule geometry_baselines: measure untrained networks and raw images."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Geometry
from kneeoa.config.hierarchy import Level
from kneeoa.geometry.cases import CaseTables
from kneeoa.geometry.run_measures import measure_baselines
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    measure_baselines(
        [Path(file) for file in snakemake.input.networks],
        [Path(file) for file in snakemake.input.images],
        CaseTables(labels=[Path(file) for file in snakemake.input.labels], truth=[Path(file) for file in snakemake.input.truth]),
        levels=tuple(Level.model_validate(level) for level in snakemake.params.levels),
        geometry=Geometry.model_validate(snakemake.params.geometry),
        study=snakemake.params.study,
        out=Path(snakemake.output.measures),
    )
