"""
What each run says of every case, or what a table made elsewhere says.

REQUIRED INPUTS: a finished run and its inputs; or the tables of `imports.folder`
OUTPUTS: <out>/predictions/{arm}/seed-{seed}.parquet, <out>/embeddings/{arm}/seed-{seed}.parquet
         <out>/predictions/{arm}/imported.parquet
"""


def import_file(wildcards):
    """The table made elsewhere that an arm is imported from."""
    folder = os.path.expandvars(STUDY.imports.folder)
    if "$" in folder:
        raise WorkflowError(
            f"imports.folder is '{STUDY.imports.folder}', but that environment variable is not set; "
            "export it or name the folder in the configuration."
        )
    return os.path.join(folder, STUDY.imports.arms[wildcards.arm].file)


rule predict:
    input:
        weights="<out>/runs/{arm}/seed-{seed}/weights.safetensors",
        model="<out>/runs/{arm}/seed-{seed}/model.json",
        arrays=lambda wildcards: LAYOUT.arrays(wildcards.arm),
        indices=lambda wildcards: LAYOUT.indices(wildcards.arm),
        splits=lambda wildcards: LAYOUT.splits(wildcards.arm),
        labels=lambda wildcards: LAYOUT.labels(wildcards.arm),
    output:
        predictions="<out>/predictions/{arm}/seed-{seed}.parquet",
        embeddings="<out>/embeddings/{arm}/seed-{seed}.parquet",
    params:
        code=lambda wildcards: code("predict", members(wildcards.arm)),
        study=STUDY.study,
        levels=LEVELS,
        batch=lambda wildcards: LAYOUT.arm(wildcards.arm).training.predict_batch,
        threads=STUDY.resources.train.threads,
    log:
        "<logs>/predict/{arm}-seed-{seed}.log",
    benchmark:
        "<benchmarks>/predict/{arm}-seed-{seed}.jsonl"
    threads: STUDY.resources.train.threads
    resources:
        gpu=STUDY.resources.train.gpus,
        mem_mb=memory("train"),
        runtime=minutes("explain"),
    conda:
        "../../envs/train.yaml"
    message:
        "Predicting every case with {wildcards.arm}, seed {wildcards.seed}"
    script:
        "../../scripts/predict.py"


rule import_predictions:
    input:
        table=import_file,
    output:
        predictions="<out>/predictions/{arm}/imported.parquet",
    params:
        code=code("import_predictions"),
        study=STUDY.study,
        levels=LEVELS,
        imports=lambda wildcards: STUDY.imports.model_dump(mode="json", exclude={"arms"})
        | {"arms": {wildcards.arm: plain(STUDY.imports.arms[wildcards.arm])}},
    log:
        "<logs>/import_predictions/{arm}.log",
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    conda:
        "../../envs/analysis.yaml"
    message:
        "Importing the predictions of {wildcards.arm}"
    script:
        "../../scripts/import_predictions.py"
