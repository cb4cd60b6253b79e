"""
What plug-ins choose, its share on tissues, and what their parts achieve by themselves.

REQUIRED INPUTS: a finished run with a plug-in and its inputs; aligned masks and labels for shares on
                 tissues; <out>/parts for the parts
OUTPUTS: <out>/selections/{arm}/seed-{seed}.{parquet,shares.parquet}
         <out>/anatomy/selections.parquet
         <out>/statistics/parts/{arm}.parquet
"""


rule selections:
    """Write what one run's plug-in chose in each test case."""
    input:
        weights="<out>/runs/{arm}/seed-{seed}/weights.safetensors",
        model="<out>/runs/{arm}/seed-{seed}/model.json",
        volumes=lambda wildcards: LAYOUT.volume_lists(wildcards.arm),
        splits=lambda wildcards: LAYOUT.evaluation_splits(wildcards.arm),
        labels=lambda wildcards: LAYOUT.labels(wildcards.arm),
    output:
        selections="<out>/selections/{arm}/seed-{seed}.parquet",
    log:
        "<logs>/selections/{arm}-seed-{seed}.log",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.explain.threads
    resources:
        gpu=STUDY.resources.explain.gpus,
        mem_mb=memory("explain"),
        runtime=minutes("explain"),
    params:
        code=lambda wildcards: code("selections", selecting_modules(wildcards.arm)),
        study=STUDY.study,
        view=lambda wildcards: STUDY.view_of(LAYOUT.arm(wildcards.arm)),
        levels=LEVELS,
        pictured=level_roles.example_level(STUDY).name,
        batch=lambda wildcards: LAYOUT.arm(wildcards.arm).training.predict_batch,
        threads=STUDY.resources.explain.threads,
    script:
        "../../scripts/selections.py"


rule selection_shares:
    """Measure how much of what one run's plug-in chose lies on tissues."""
    input:
        selections="<out>/selections/{arm}/seed-{seed}.parquet",
        masks=lambda wildcards: LAYOUT.mask_lists(wildcards.arm),
    output:
        shares="<out>/selections/{arm}/seed-{seed}.shares.parquet",
    log:
        "<logs>/selection_shares/{arm}-seed-{seed}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("selection_shares"),
        tissues=tissues_by_cohort,
        anatomy=STUDY.anatomy.model_dump(mode="json", include={"targets", "shifts", "partners", "seed"}),
    script:
        "../../scripts/selection_shares.py"


rule selection_summary:
    """Summarise the shares of chosen locations on tissues over subjects and seeds."""
    input:
        shares=LAYOUT.selection_shares(),
        labels=LAYOUT.cohort_tables("labels"),
    output:
        summary="<out>/anatomy/selections.parquet",
    log:
        "<logs>/selection_summary.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("selection_summary"),
        level=graded_levels(),
        statistics=STUDY.statistics.model_dump(mode="json", include={"confidence", "resamples", "seed"}),
    script:
        "../../scripts/selection_summary.py"


rule part_metrics:
    """Measure what each part of one arm's plug-in achieves by itself."""
    input:
        parts=lambda wildcards: LAYOUT.parts(wildcards.arm),
    output:
        metrics="<out>/statistics/parts/{arm}.parquet",
    log:
        "<logs>/part_metrics/{arm}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("part_metrics"),
        levels=LEVELS,
        statistics=statistics_of("confidence", "resamples", "seed", "threshold"),
    script:
        "../../scripts/part_metrics.py"
