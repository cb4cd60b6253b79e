"""Rule figure: draw one figure by its module."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Figures
from kneeoa.figures.registry import draw
from kneeoa.job_logging import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    files = snakemake.input.items()
    draw(
        snakemake.wildcards.figure,
        **{name: Path(file) if isinstance(file, str) else [Path(each) for each in file] for name, file in files},
        **snakemake.params.settings,
        figures=Figures.model_validate(snakemake.params.look),
        out_pdf=Path(snakemake.output.pdf),
        out_png=Path(snakemake.output.png),
    )
