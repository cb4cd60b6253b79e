"""
Who trains, who validates, who tests; and the account of every case that does not.

REQUIRED INPUTS: <out>/cohorts/{cohort}/*.parquet and the index and exclusions of every shard
OUTPUTS: <out>/splits/{cohort}.parquet
         <out>/splits/{cohort}.exclusions.parquet, <out>/splits/{cohort}.flow.json
"""


def shards_of(stage, suffix):
    """Files of a stage for every shard and view of the wildcard's cohort."""

    def files(wildcards):
        views = STUDY.cohorts[wildcards.cohort].views
        return [file for view in views for file in LAYOUT.shard_files(stage, view, suffix, [wildcards.cohort])]

    return files


def mask_exclusions(wildcards):
    """Exclusions of the masks stage; none for a cohort without masks."""
    return shards_of("masks", ".exclusions.parquet")(wildcards) if STUDY.cohorts[wildcards.cohort].tissues else []


def required_mask_exclusions(wildcards):
    """The same where a case needs a usable mask; else a change of the mask checks must not move the splits, nor retrain."""
    return mask_exclusions(wildcards) if STUDY.masks.required else []


rule make_splits:
    input:
        cases="<out>/cohorts/{cohort}/cases.parquet",
        labels="<out>/cohorts/{cohort}/labels.parquet",
        exclusions="<out>/cohorts/{cohort}/exclusions.parquet",
        volumes=shards_of("volumes", ".parquet"),
        mask_exclusions=required_mask_exclusions,
    output:
        splits="<out>/splits/{cohort}.parquet",
    params:
        code=code("make_splits"),
        role=lambda wildcards: STUDY.cohorts[wildcards.cohort].role,
        split=lambda wildcards: plain(STUDY.cohorts[wildcards.cohort].split),
        levels=LEVELS,
    log:
        "<logs>/make_splits/{cohort}.log",
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    conda:
        "../../envs/train.yaml"
    message:
        "Dividing the subjects of {wildcards.cohort} into training, validation and test"
    script:
        "../../scripts/make_splits.py"


rule flow:
    input:
        cases="<out>/cohorts/{cohort}/cases.parquet",
        labels="<out>/cohorts/{cohort}/labels.parquet",
        splits="<out>/splits/{cohort}.parquet",
        exclusions=[
            "<out>/cohorts/{cohort}/exclusions.parquet",
        ],
        volume_exclusions=shards_of("volumes", ".exclusions.parquet"),
        mask_exclusions=mask_exclusions,
    output:
        exclusions="<out>/splits/{cohort}.exclusions.parquet",
        flow="<out>/splits/{cohort}.flow.json",
    params:
        code=code("flow"),
        levels=LEVELS,
    log:
        "<logs>/flow/{cohort}.log",
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    conda:
        "../../envs/analysis.yaml"
    message:
        "Accounting for every case of {wildcards.cohort}"
    script:
        "../../scripts/flow.py"
