"""
Where a run looks, and whether that is cartilage.

REQUIRED INPUTS: a finished run, its inputs, aligned masks
OUTPUTS: <out>/saliency/{arm}/seed-{seed}.{npy,parquet}  (kept, so that a new tissue or null needs no GPU)
         <out>/anatomy/{arm}/seed-{seed}.parquet, <out>/anatomy/summary.parquet
"""


include: "../inputs/anatomy.smk"


rule saliency:
    """Map what one run looks at."""
    input:
        weights="<out>/runs/{arm}/seed-{seed}/weights.safetensors",
        model="<out>/runs/{arm}/seed-{seed}/model.json",
        arrays=lambda wildcards: LAYOUT.arrays(wildcards.arm),
        indices=lambda wildcards: LAYOUT.indices(wildcards.arm),
        splits=lambda wildcards: LAYOUT.splits(wildcards.arm),
    output:
        maps="<out>/saliency/{arm}/seed-{seed}.npy",
        index="<out>/saliency/{arm}/seed-{seed}.parquet",
    log:
        "<logs>/saliency/{arm}-seed-{seed}.log",
    benchmark:
        "<benchmarks>/saliency/{arm}-seed-{seed}.jsonl"
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.explain.threads
    resources:
        gpu=STUDY.resources.explain.gpus,
        mem_mb=memory("explain"),
        runtime=minutes("explain"),
    params:
        code=lambda wildcards: code("saliency", members(wildcards.arm)),
        study=STUDY.study,
        target=binary_level(),
        view=lambda wildcards: STUDY.view_of(LAYOUT.arm(wildcards.arm)),
        saliency=plain(STUDY.saliency),
        batch=lambda wildcards: LAYOUT.arm(wildcards.arm).training.predict_batch,
        threads=STUDY.resources.explain.threads,
    script:
        "../../scripts/saliency.py"


rule overlap:
    """Hold one run's saliency against the tissues."""
    input:
        maps="<out>/saliency/{arm}/seed-{seed}.npy",
        index="<out>/saliency/{arm}/seed-{seed}.parquet",
        mask_arrays=lambda wildcards: LAYOUT.masks(wildcards.arm, ".npy"),
        mask_indices=lambda wildcards: LAYOUT.masks(wildcards.arm, ".parquet"),
        splits=lambda wildcards: LAYOUT.splits(wildcards.arm),
    output:
        overlap="<out>/anatomy/{arm}/seed-{seed}.parquet",
    log:
        "<logs>/overlap/{arm}-seed-{seed}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("overlap"),
        study=STUDY.study,
        tissues=tissues_by_cohort,
        anatomy=plain(STUDY.anatomy),
    script:
        "../../scripts/overlap.py"


rule anatomy:
    """Sum up saliency on anatomy over subjects and seeds."""
    input:
        overlaps=LAYOUT.runs("anatomy/{arm}/seed-{seed}.parquet"),
    output:
        summary="<out>/anatomy/summary.parquet",
    log:
        "<logs>/anatomy.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("anatomy"),
        arms=LAYOUT.factors(),
        statistics=STUDY.statistics.model_dump(mode="json", include={"contrasts", "confidence", "resamples", "seed"}),
    script:
        "../../scripts/anatomy.py"
