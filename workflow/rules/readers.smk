"""
Noisy readers: training labels with a configured rate of errors, and their effect on arms and on
differences between arms.

REQUIRED INPUTS: <out>/cohorts/{cohort}/labels.parquet, <out>/splits/{cohort}.parquet; predictions
                 of all arms
OUTPUTS: <out>/readers/{reader}/{cohort}.parquet  (labels)
         <out>/readers/{reader}/{cohort}.json  (agreement with the reference)
         <out>/statistics/readers.parquet
"""


include: "../inputs/readers.smk"


rule reread_labels:
    """Read a cohort's training and validation labels again as a noisy reader."""
    input:
        labels="<out>/cohorts/{cohort}/labels.parquet",
        splits="<out>/splits/{cohort}.parquet",
    output:
        labels="<out>/readers/{reader}/{cohort}.parquet",
        agreement="<out>/readers/{reader}/{cohort}.json",
    log:
        "<logs>/reread_labels/{reader}-{cohort}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=code("reread_labels"),
        level=lambda wildcards: STUDY.level_read(wildcards.reader).name,
        confusion=confusion_of,
        seed=lambda wildcards: STUDY.readers[wildcards.reader].seed,
        levels=LEVELS,
    script:
        "../../scripts/reread_labels.py"


rule readers:
    """Relate contrasts to the noise of the labels that arms are trained on."""
    input:
        predictions=LAYOUT.predictions(),
        agreements=LAYOUT.agreements(),
    output:
        readers="<out>/statistics/readers.parquet",
    log:
        "<logs>/readers.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("readers"),
        levels=LEVELS,
        arms=LAYOUT.factors(),
        statistics=STUDY.statistics.model_dump(mode="json", include={"contrasts", "confidence", "resamples", "seed"}),
    script:
        "../../scripts/readers.py"
