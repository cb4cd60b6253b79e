"""Input functions and params of the rules of cohort."""

from functools import cache

from kneeoa.cohorts import registry as readers
from kneeoa.cohorts.raw_digests import raw_digests
from kneeoa.config.people import overlap_message
from kneeoa.phantom.plan import subjects as phantom_subjects

SUBJECTS = {cohort: set() for cohort in STUDY.cohorts}  # by cohort, as far as raw files name them


def cohort_root(cohort):
    """Folder of a cohort's raw data."""
    section = STUDY.cohorts[cohort]
    return phantom_root(cohort) if section.phantom is not None else os.path.expandvars(section.root)


@cache
def raw_index(cohort):
    """Digests of a cohort's raw files by shard (-1: its tables), made when the workflow is parsed;
    the phantom's files are rule inputs instead.
    """
    section = STUDY.cohorts[cohort]
    try:
        if section.phantom is not None:
            SUBJECTS[cohort] |= phantom_subjects(section.phantom)
            check_people_of(cohort)
            return {}
        check_tables = readers.check_tables_rule(section.reader)
        if check_tables is not None and workflow.is_main_process:
            check_tables(Path(cohort_root(cohort)), section)
        offer = readers.offer(section)
        subjects = SUBJECTS[cohort] if offer is None or offer.named_at_parse else None
        digests = raw_digests(Path(cohort_root(cohort)), section, subjects)
        check_people_of(cohort)
        return digests
    except KneeoaError as error:
        raise WorkflowError(f"cohorts.{cohort}: {error}") from None


def check_people_of(cohort):
    """Stop where ids of a cohort are those of another one and the study does not say whose they are;
    of cohorts whose files have been looked at.
    """
    for other in LAYOUT.undeclared_cohorts(cohort):
        shared = SUBJECTS[cohort] & SUBJECTS[other]
        if shared:
            raise KneeoaError(overlap_message(other, cohort, shared))


def cohort_section(wildcards):
    """The slice of the configuration on which reading a cohort's tables depends."""
    section = STUDY.cohorts[wildcards.cohort].model_dump(
        mode="json", exclude={"phantom", "split", "orientation", "spacing_mm", "published"}
    )
    return section | {"root": cohort_root(wildcards.cohort)}
