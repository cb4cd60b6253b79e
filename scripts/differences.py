"""Rule differences: compare the severity axes of candidate and reference arms."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Contrast, Geometry
from kneeoa.config.hierarchy import Level
from kneeoa.geometry.axis_differences import compare_axes
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    compare_axes(
        [Path(file) for file in snakemake.input.axes],
        arms=snakemake.params.arms,
        contrasts=[Contrast.model_validate(contrast) for contrast in snakemake.params.contrasts],
        levels=tuple(Level.model_validate(level) for level in snakemake.params.levels),
        geometry=Geometry.model_validate(snakemake.params.geometry),
        study=snakemake.params.study,
        out=Path(snakemake.output.differences),
    )
