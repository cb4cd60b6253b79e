"""
Who trains, who validates, who tests; and the account of every case that does not.

REQUIRED INPUTS: <out>/cohorts/{cohort}/*.parquet and the index and exclusions of every shard
OUTPUTS: <out>/splits/{cohort}.parquet
         <out>/splits/{cohort}.exclusions.parquet, <out>/splits/{cohort}.flow.json
"""


include: "../inputs/splits.smk"


rule make_splits:
    """Divide the subjects of a cohort into training, validation and test."""
    input:
        cases="<out>/cohorts/{cohort}/cases.parquet",
        labels="<out>/cohorts/{cohort}/labels.parquet",
        exclusions=deciding_exclusions,
        volumes=shards_of("volumes", ".parquet"),
    output:
        splits="<out>/splits/{cohort}.parquet",
    log:
        "<logs>/make_splits/{cohort}.log",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=code("make_splits"),
        role=lambda wildcards: STUDY.cohorts[wildcards.cohort].role,
        views=lambda wildcards: list(STUDY.cohorts[wildcards.cohort].views),
        split=lambda wildcards: plain(STUDY.cohorts[wildcards.cohort].split),
        levels=LEVELS,
    script:
        "../../scripts/make_splits.py"


rule flow:
    """Account for every case of a cohort."""
    input:
        cases="<out>/cohorts/{cohort}/cases.parquet",
        labels="<out>/cohorts/{cohort}/labels.parquet",
        splits="<out>/splits/{cohort}.parquet",
        exclusions=exclusions_of,
    output:
        exclusions="<out>/splits/{cohort}.exclusions.parquet",
        flow="<out>/splits/{cohort}.flow.json",
    log:
        "<logs>/flow/{cohort}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=code("flow"),
        levels=LEVELS,
    script:
        "../../scripts/flow.py"
