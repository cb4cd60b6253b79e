"""Rule associations: correlate measures with severity, adjusted for age, sex and site; measure the
agreement of seeds and raters.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.associations.build import build_associations
from kneeoa.associations.measures import Resampling
from kneeoa.config.hierarchy import Level
from kneeoa.geometry.cases import ordinal_level
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    levels = tuple(Level.model_validate(level) for level in snakemake.params.levels)
    build_associations(
        axes=[Path(file) for file in snakemake.input.axes],
        overlaps=[Path(file) for file in snakemake.input.overlaps],
        predictions=[Path(file) for file in snakemake.input.predictions],
        cases=[Path(file) for file in snakemake.input.cases],
        labels=[Path(file) for file in snakemake.input.labels],
        readings=[Path(file) for file in snakemake.input.readings],
        level=ordinal_level(levels, snakemake.params.level).name,
        measure=snakemake.params.measure,
        study=snakemake.params.study,
        how=Resampling(**snakemake.params.resampling),
        out=Path(snakemake.output.associations),
    )
