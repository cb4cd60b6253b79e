"""Rule train_run: train one arm with one seed."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.arms import Mode, Training
from kneeoa.job import logged
from kneeoa.network.model import ModelSpec
from kneeoa.training.run import train

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    network = snakemake.params.network
    spec = ModelSpec(
        backbone=network["backbone"]["kind"],
        options=network["backbone"]["options"],
        dimensions=len(network["shape"]),
        in_channels=1,
        shape=tuple(network["shape"]),
        mode=Mode.model_validate(network["mode"]),
        levels=tuple(Level.model_validate(level) for level in network["levels"]),
    )
    train(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        spec=spec,
        training=Training.model_validate(snakemake.params.training),
        arrays=[Path(file) for file in snakemake.input.arrays],
        indices=[Path(file) for file in snakemake.input.indices],
        splits=[Path(file) for file in snakemake.input.splits],
        labels=[Path(file) for file in snakemake.input.labels],
        threads=snakemake.params.threads,
        out=Path(snakemake.output.weights).parent,
        provenance={"code": snakemake.params.code, "network": network, "training": snakemake.params.training},
    )
