"""What the rules of cohort take: input functions and params."""

from functools import cache

from kneeoa.cohorts import registry as readers
from kneeoa.cohorts.index import raw_digests


def cohort_root(cohort):
    """Folder of a cohort's raw data."""
    section = STUDY.cohorts[cohort]
    return phantom_root(cohort) if section.phantom is not None else os.path.expandvars(section.root)


@cache
def raw_index(cohort):
    """Digests of a cohort's raw files by shard (-1: its tables), made at parse; the phantom's files
    are rule inputs instead.
    """
    if STUDY.cohorts[cohort].phantom is not None:
        return {}
    try:
        return raw_digests(Path(cohort_root(cohort)), STUDY.cohorts[cohort])
    except KneeoaError as error:
        raise WorkflowError(f"cohorts.{cohort}: {error}") from None


def cohort_section(wildcards):
    """What reading a cohort's tables depends on."""
    section = STUDY.cohorts[wildcards.cohort].model_dump(
        mode="json", exclude={"phantom", "split", "role", "orientation"}
    )
    return section | {"root": cohort_root(wildcards.cohort)}
