"""Rule train_run: train one arm with one seed."""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.training import INDIFFERENT, Training
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log
from kneeoa.labels.rater_agreement import provenance
from kneeoa.network.model import ModelSpec
from kneeoa.reruns.copied_results import made_from
from kneeoa.training.run import train

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    configuration = {key: snakemake.params[key] for key in ("study", "network", "training", "threads")}
    files = [*snakemake.input.volumes, *snakemake.input.splits, *snakemake.input.labels, *snakemake.input.agreements]
    train(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        spec=ModelSpec.from_json(snakemake.params.network),
        training=Training.model_validate({**snakemake.params.training, **{key: snakemake.resources.get(key) for key in INDIFFERENT}}),
        arrays=arrays,
        indices=indices,
        splits=[Path(file) for file in snakemake.input.splits],
        labels=[Path(file) for file in snakemake.input.labels],
        threads=snakemake.params.threads,
        minutes=snakemake.resources.runtime,
        out=Path(snakemake.output.weights).parent,
        keep_state=bool(snakemake.resources.packed),
        provenance={
            **made_from(snakemake.params.code, configuration, files),
            **provenance([Path(file) for file in snakemake.input.agreements]),
        },
    )
