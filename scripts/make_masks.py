"""Rule make_masks: align one shard's masks with its volumes, and check them."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.volumes import MaskChecks
from kneeoa.job_logging import job_log
from kneeoa.masks.shard import make_masks

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    make_masks(
        images=Path(snakemake.input.images),
        root=Path(snakemake.params.root),
        cohort=snakemake.wildcards.cohort,
        view_name=snakemake.wildcards.view,
        tissues={name: tuple(labels) for name, labels in snakemake.params.tissues.items()},
        checks=MaskChecks.model_validate(snakemake.params.checks),
        volumes_array=Path(snakemake.input.volumes),
        volumes_index=Path(snakemake.input.index),
        shard=int(snakemake.wildcards.shard),
        out_array=Path(snakemake.output.array),
        out_index=Path(snakemake.output.index),
        out_cartilage=Path(snakemake.output.cartilage),
        out_exclusions=Path(snakemake.output.exclusions),
    )
