"""
Split each cohort into training, validation and test cases, and account for every other case.

REQUIRED INPUTS: <out>/cohorts/{cohort}/*.parquet and the index and exclusions of every shard
OUTPUTS: <out>/splits/{cohort}.parquet
         <out>/splits/{cohort}.evaluated.parquet, <out>/splits/{cohort}.trained.parquet
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
        others=undeclared_cases,
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
        role=role_of,
        views=lambda wildcards: list(STUDY.cohorts[wildcards.cohort].views),
        split=lambda wildcards: plain(STUDY.cohorts[wildcards.cohort].split),
        levels=LEVELS,
    script:
        "../../scripts/make_splits.py"


rule leave_out_trained:
    """Leave out of validation and test everybody who is trained on in another cohort."""
    input:
        splits=lambda wildcards: [
            f"{LAYOUT.root}/splits/{name}.parquet" for name in LAYOUT.cohorts_sharing_views(wildcards.cohort)
        ],
        volumes=beside_volumes,
    output:
        splits="<out>/splits/{cohort}.evaluated.parquet",
        exclusions="<out>/splits/{cohort}.trained.parquet",
    log:
        "<logs>/leave_out_trained/{cohort}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=code("leave_out_trained"),
        same_people=lambda wildcards: sorted(cohorts_with_same_people(wildcards.cohort, STUDY.same_people)),
    script:
        "../../scripts/leave_out_trained.py"


rule flow:
    """Account for every case of a cohort."""
    input:
        cases="<out>/cohorts/{cohort}/cases.parquet",
        labels="<out>/cohorts/{cohort}/labels.parquet",
        splits="<out>/splits/{cohort}.evaluated.parquet",
        exclusions=lambda wildcards: [
            *exclusions_of(wildcards),
            f"{LAYOUT.root}/splits/{wildcards.cohort}.trained.parquet",
        ],
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
