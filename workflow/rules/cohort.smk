"""
Read a source's tables and folders: one row per case.

REQUIRED INPUTS: the raw tree of a cohort (`cohorts.<cohort>.root`, or the phantom's)
OUTPUTS: <out>/cohorts/{cohort}/{cases,images,labels,exclusions}.parquet
"""


include: "../inputs/cohort.smk"


rule read_cohort:
    """Read the tables of a cohort."""
    input:
        raw=lambda wildcards: phantom_raw(wildcards.cohort),
    output:
        cases="<out>/cohorts/{cohort}/cases.parquet",
        images="<out>/cohorts/{cohort}/images.parquet",
        labels="<out>/cohorts/{cohort}/labels.parquet",
        exclusions="<out>/cohorts/{cohort}/exclusions.parquet",
    log:
        "<logs>/read_cohort/{cohort}.log",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=lambda wildcards: code("read_cohort", [readers.code_module(STUDY.cohorts[wildcards.cohort].reader)]),
        raw=lambda wildcards: raw_index(wildcards.cohort),
        cohort=cohort_section,
        levels=LEVELS,
    script:
        "../../scripts/read_cohort.py"
