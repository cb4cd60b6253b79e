"""
Saliency maps of runs, their overlap with tissues, and the effect of deleting tissues.

REQUIRED INPUTS: a finished run and its inputs; aligned masks and labels for measures by tissue and
                 by grade
OUTPUTS: <out>/saliency/{arm}/seed-{seed}.{method}.{npy,parquet}  (kept, so that a new tissue or
         null needs no GPU)
         <out>/saliency_randomised/{arm}/seed-{seed}.{method}.{npy,parquet}
         <out>/deletion/{arm}/seed-{seed}.parquet
         <out>/anatomy/{arm}/seed-{seed}.{method}.parquet
         <out>/anatomy/{summary,sanity,deletion}.parquet
"""


include: "../inputs/anatomy.smk"


wildcard_constraints:
    method=one_of(STUDY.saliency.methods),


rule saliency:
    """Make one run's saliency maps by one method, with its weights and with randomised ones.

    One job makes both tables of maps: starting a job takes longer than making the second one, and
    both depend on the run, the method and the section `saliency`.
    """
    input:
        weights="<out>/runs/{arm}/seed-{seed}/weights.safetensors",
        model="<out>/runs/{arm}/seed-{seed}/model.json",
        volumes=lambda wildcards: LAYOUT.volume_lists(wildcards.arm),
        splits=lambda wildcards: LAYOUT.evaluation_splits(wildcards.arm),
        labels=explained_labels,
    output:
        maps="<out>/saliency/{arm}/seed-{seed}.{method}.npy",
        index="<out>/saliency/{arm}/seed-{seed}.{method}.parquet",
        randomised_maps="<out>/saliency_randomised/{arm}/seed-{seed}.{method}.npy" if STUDY.saliency.randomised else [],
        randomised_index=(
            "<out>/saliency_randomised/{arm}/seed-{seed}.{method}.parquet" if STUDY.saliency.randomised else []
        ),
    log:
        "<logs>/saliency/{arm}-seed-{seed}.{method}.log",
    benchmark:
        "<benchmarks>/saliency/{arm}-seed-{seed}.{method}.jsonl"
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.explain.threads
    resources:
        gpu=STUDY.resources.explain.gpus,
        mem_mb=memory("explain"),
        runtime=minutes("explain"),
    params:
        code=lambda wildcards: code("saliency", saliency_modules(wildcards)),
        study=STUDY.study,
        target=level_roles.explained_target(STUDY),
        view=lambda wildcards: STUDY.view_of(LAYOUT.arm(wildcards.arm)),
        saliency=lambda wildcards: STUDY.saliency.of_method(wildcards.method),
        batch=lambda wildcards: LAYOUT.arm(wildcards.arm).training.predict_batch,
        threads=STUDY.resources.explain.threads,
    script:
        "../../scripts/saliency.py"


rule deletion:
    """Measure the change of one run's score when tissues and control regions are deleted."""
    input:
        weights="<out>/runs/{arm}/seed-{seed}/weights.safetensors",
        model="<out>/runs/{arm}/seed-{seed}/model.json",
        volumes=lambda wildcards: LAYOUT.volume_lists(wildcards.arm),
        splits=lambda wildcards: LAYOUT.evaluation_splits(wildcards.arm),
        labels=explained_labels,
        masks=lambda wildcards: LAYOUT.mask_lists(wildcards.arm),
    output:
        deletion="<out>/deletion/{arm}/seed-{seed}.parquet",
    log:
        "<logs>/deletion/{arm}-seed-{seed}.log",
    benchmark:
        "<benchmarks>/deletion/{arm}-seed-{seed}.jsonl"
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.explain.threads
    resources:
        gpu=STUDY.resources.explain.gpus,
        mem_mb=memory("explain"),
        runtime=minutes("explain"),
    params:
        code=lambda wildcards: code("deletion", members(wildcards.arm)),
        study=STUDY.study,
        target=level_roles.explained_target(STUDY),
        view=lambda wildcards: STUDY.view_of(LAYOUT.arm(wildcards.arm)),
        tissues=tissues_by_cohort,
        spacing=mask_spacing,
        anatomy=STUDY.anatomy.of_deletion(),
        batch=lambda wildcards: LAYOUT.arm(wildcards.arm).training.predict_batch,
        threads=STUDY.resources.explain.threads,
    script:
        "../../scripts/deletion.py"


rule overlap:
    """Measure the overlap of one run's saliency by one method with the tissues."""
    input:
        maps="<out>/saliency/{arm}/seed-{seed}.{method}.npy",
        index="<out>/saliency/{arm}/seed-{seed}.{method}.parquet",
        masks=lambda wildcards: LAYOUT.mask_lists(wildcards.arm),
        splits=lambda wildcards: LAYOUT.evaluation_splits(wildcards.arm),
    output:
        overlap="<out>/anatomy/{arm}/seed-{seed}.{method}.parquet",
    log:
        "<logs>/overlap/{arm}-seed-{seed}.{method}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("overlap"),
        tissues=tissues_by_cohort,
        spacing=mask_spacing,
        anatomy=STUDY.anatomy.of_overlap(),
        taken=lambda wildcards: taken_by(wildcards.arm),
    script:
        "../../scripts/overlap.py"


rule anatomy:
    """Summarise saliency on anatomy over subjects and seeds."""
    input:
        overlaps=LAYOUT.maps(".parquet", folder="anatomy"),
        labels=LAYOUT.cohort_tables("labels"),
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
        methods=list(STUDY.saliency.methods),
        level=graded_levels(),
        statistics=STUDY.statistics.model_dump(mode="json", include={"contrasts", "confidence", "resamples", "seed"}),
    script:
        "../../scripts/anatomy.py"


rule sanity:
    """Check whether maps change with the weights, and whether they agree between seeds."""
    input:
        maps=LAYOUT.maps(".npy"),
        indices=LAYOUT.maps(".parquet"),
        randomised_maps=LAYOUT.maps(".npy", folder="saliency_randomised") if STUDY.saliency.randomised else [],
        randomised_indices=LAYOUT.maps(".parquet", folder="saliency_randomised") if STUDY.saliency.randomised else [],
        masks=masks_of_arms() if LAYOUT.has_masks() else [],
        splits=LAYOUT.evaluation_splits(),
    output:
        sanity="<out>/anatomy/sanity.parquet",
    log:
        "<logs>/sanity.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("sanity"),
        tissues=tissues_of_cohorts(),
        spacings={name: list(view.spacing) for name, view in STUDY.views.items()},
        anatomy=STUDY.anatomy.of_overlap(),
        taken={arm.name: taken_by(arm.name) for arm in STUDY.arms_table() if arm.training.crop is not None},
        statistics=STUDY.statistics.model_dump(mode="json", include={"confidence", "resamples", "seed"}),
    script:
        "../../scripts/sanity.py"


rule deletion_summary:
    """Summarise deletions over subjects and seeds."""
    input:
        deletions=LAYOUT.runs("deletion/{arm}/seed-{seed}.parquet"),
    output:
        summary="<out>/anatomy/deletion.parquet",
    log:
        "<logs>/deletion_summary.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("deletion_summary"),
        group=next(iter(STUDY.anatomy.targets), None),
        statistics=STUDY.statistics.model_dump(mode="json", include={"confidence", "resamples", "seed"}),
    script:
        "../../scripts/deletion_summary.py"
