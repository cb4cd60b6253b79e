"""
Noisy raters: training labels with a configured rate of errors, and their effect on arms and on
differences between arms.

REQUIRED INPUTS: <out>/cohorts/{cohort}/labels.parquet, <out>/splits/{cohort}.parquet; predictions
                 of all arms
OUTPUTS: <out>/raters/{rater}/{cohort}.parquet  (labels)
         <out>/raters/{rater}/{cohort}.json  (agreement with the reference)
         <out>/statistics/raters.parquet
"""


include: "../inputs/raters.smk"


rule rate_labels:
    """Read a cohort's training and validation labels again as a noisy rater."""
    input:
        labels="<out>/cohorts/{cohort}/labels.parquet",
        splits="<out>/splits/{cohort}.parquet",
    output:
        labels="<out>/raters/{rater}/{cohort}.parquet",
        agreement="<out>/raters/{rater}/{cohort}.json",
    log:
        "<logs>/rate_labels/{rater}-{cohort}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=code("rate_labels"),
        level=lambda wildcards: STUDY.rated_level(wildcards.rater).name,
        confusion=confusion_of,
        seed=lambda wildcards: STUDY.raters[wildcards.rater].seed,
        levels=LEVELS,
    script:
        "../../scripts/rate_labels.py"


rule raters:
    """Relate contrasts to the noise of the labels that arms are trained on."""
    input:
        predictions=LAYOUT.predictions(),
        agreements=LAYOUT.agreements(),
    output:
        raters="<out>/statistics/raters.parquet",
    log:
        "<logs>/raters.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("raters"),
        levels=LEVELS,
        arms=LAYOUT.factors(),
        statistics=STUDY.statistics.model_dump(mode="json", include={"contrasts", "confidence", "resamples", "seed"}),
    script:
        "../../scripts/raters.py"
