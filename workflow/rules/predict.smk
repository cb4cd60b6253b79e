"""
Predictions of every case by each run and ensemble, or imported from tables made elsewhere.

REQUIRED INPUTS: a finished run and its inputs; or the tables of `imports.folder`
OUTPUTS: <out>/predictions/{arm}/seed-{seed}.parquet, <out>/embeddings/{arm}/seed-{seed}.parquet
         <out>/runs/{arm}/seed-{seed}/temperature.json
         <out>/parts/{arm}/seed-{seed}.parquet, of runs with a plug-in
         <out>/predictions/{ensemble}/{seed-{seed},all-seeds}.parquet
         <out>/predictions/{arm}/imported.{parquet,json}
"""


include: "../inputs/predict.smk"


rule predict:
    """Predict every case with one run."""
    input:
        weights="<out>/runs/{arm}/seed-{seed}/weights.safetensors",
        model="<out>/runs/{arm}/seed-{seed}/model.json",
        volumes=lambda wildcards: LAYOUT.volume_lists(wildcards.arm),
        splits=lambda wildcards: LAYOUT.evaluation_splits(wildcards.arm),
        labels=lambda wildcards: LAYOUT.labels(wildcards.arm),
    output:
        predictions="<out>/predictions/{arm}/seed-{seed}.parquet",
        embeddings="<out>/embeddings/{arm}/seed-{seed}.parquet",
        temperature="<out>/runs/{arm}/seed-{seed}/temperature.json",
    log:
        "<logs>/predict/{arm}-seed-{seed}.log",
    benchmark:
        "<benchmarks>/predict/{arm}-seed-{seed}.jsonl"
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.train.threads
    resources:
        gpu=STUDY.resources.train.gpus,
        mem_mb=memory("train"),
        runtime=minutes("explain"),
    params:
        code=lambda wildcards: code("predict", members(wildcards.arm)),
        study=STUDY.study,
        levels=LEVELS,
        batch=lambda wildcards: LAYOUT.arm(wildcards.arm).training.predict_batch,
        flips=lambda wildcards: flips_of(wildcards.arm),
        temperature=STUDY.predict.temperature,
        threads=STUDY.resources.train.threads,
    script:
        "../../scripts/predict.py"


rule predict_parts:
    """Predict every case with each part of one run's plug-in."""
    input:
        weights="<out>/runs/{arm}/seed-{seed}/weights.safetensors",
        model="<out>/runs/{arm}/seed-{seed}/model.json",
        volumes=lambda wildcards: LAYOUT.volume_lists(wildcards.arm),
        splits=lambda wildcards: LAYOUT.evaluation_splits(wildcards.arm),
        labels=lambda wildcards: LAYOUT.labels(wildcards.arm),
    output:
        parts="<out>/parts/{arm}/seed-{seed}.parquet",
    log:
        "<logs>/predict_parts/{arm}-seed-{seed}.log",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.train.threads
    resources:
        gpu=STUDY.resources.train.gpus,
        mem_mb=memory("train"),
        runtime=minutes("explain"),
    params:
        code=lambda wildcards: code("predict_parts", members(wildcards.arm)),
        study=STUDY.study,
        levels=LEVELS,
        batch=lambda wildcards: LAYOUT.arm(wildcards.arm).training.predict_batch,
        threads=STUDY.resources.train.threads,
    script:
        "../../scripts/predict_parts.py"


rule ensemble:
    """Average the predictions of several runs."""
    input:
        members=lambda wildcards: LAYOUT.ensemble_members(wildcards.ensemble, wildcards.pool),
    output:
        predictions="<out>/predictions/{ensemble}/{pool}.parquet",
    log:
        "<logs>/ensemble/{ensemble}-{pool}.log",
    wildcard_constraints:
        pool=r"seed-\d+|all-seeds",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("ensemble"),
        levels=LEVELS,
        combine=lambda wildcards: STUDY.ensembles[wildcards.ensemble].combine,
    script:
        "../../scripts/ensemble.py"


rule import_predictions:
    """Import one arm's predictions, which were made elsewhere."""
    input:
        table=import_file,
    output:
        predictions="<out>/predictions/{arm}/imported.parquet",
        account="<out>/predictions/{arm}/imported.json",
    log:
        "<logs>/import_predictions/{arm}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("import_predictions"),
        study=STUDY.study,
        levels=LEVELS,
        imports=lambda wildcards: STUDY.imports.model_dump(mode="json", exclude={"arms"})
        | {"arms": {wildcards.arm: plain(STUDY.imports.arms[wildcards.arm])}},
    script:
        "../../scripts/import_predictions.py"
