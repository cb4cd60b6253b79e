"""Rule saliency: make one run's saliency maps by one method, with its weights and with randomised
ones.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.analysis import Saliency
from kneeoa.ingestion.shard_list import listed_shards
from kneeoa.job_logging import job_log
from kneeoa.saliency.explain import SaliencyRun, explain_run
from kneeoa.saliency.randomised import explain_randomised

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job_log(snakemake.log[0]):
    arrays, indices = listed_shards(snakemake.input.volumes)
    run = SaliencyRun(
        study=snakemake.params.study,
        arm=snakemake.wildcards.arm,
        seed=int(snakemake.wildcards.seed),
        view=snakemake.params.view,
        method=snakemake.wildcards.method,
        target=snakemake.params.target,
        saliency=Saliency.model_validate(snakemake.params.saliency),
        batch=snakemake.params.batch,
    )
    made_from = {
        "folder": Path(snakemake.input.weights).parent,
        "arrays": arrays,
        "indices": indices,
        "splits": [Path(file) for file in snakemake.input.splits],
        "labels": [Path(file) for file in snakemake.input.labels],
        "threads": snakemake.params.threads,
    }
    maps, index, *randomised = (Path(file) for file in snakemake.output)
    explain_run(run=run, **made_from, out_maps=maps, out_index=index)
    if randomised:
        explain_randomised(run=run, **made_from, out_maps=randomised[0], out_index=randomised[1])
