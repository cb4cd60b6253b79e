"""
From a source's own tables and folders to one row per case.

REQUIRED INPUTS: the raw tree of a cohort (`cohorts.<cohort>.root`, or the phantom's)
OUTPUTS: <out>/cohorts/{cohort}/{cases,images,labels,exclusions}.parquet
"""

from functools import cache

from kneeoa.cohorts import registry as readers
from kneeoa.cohorts.index import raw_digests


def cohort_root(cohort):
    """Folder of a cohort's raw data."""
    section = STUDY.cohorts[cohort]
    return phantom_root(cohort) if section.phantom is not None else os.path.expandvars(section.root)


@cache
def raw_index(cohort):
    """Digests of a cohort's raw files by shard (-1: its tables), made at parse; the phantom's files are rule inputs instead."""
    if STUDY.cohorts[cohort].phantom is not None:
        return {}
    try:
        return raw_digests(Path(cohort_root(cohort)), STUDY.cohorts[cohort])
    except KneeoaError as error:
        raise WorkflowError(f"cohorts.{cohort}: {error}") from None


def cohort_section(wildcards):
    """What reading a cohort's tables depends on."""
    section = STUDY.cohorts[wildcards.cohort].model_dump(mode="json", exclude={"phantom", "split", "role"})
    return section | {"root": cohort_root(wildcards.cohort)}


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
