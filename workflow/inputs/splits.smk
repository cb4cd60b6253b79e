"""Input functions and params of the rules of splits."""

from kneeoa.config.people import cohorts_with_same_people


def shards_of(stage, suffix):
    """Files of a stage for every shard and view of the wildcard's cohort."""

    def files(wildcards):
        views = STUDY.cohorts[wildcards.cohort].views
        return [file for view in views for file in LAYOUT.shard_files(stage, view, suffix, [wildcards.cohort])]

    return files


def exclusions_of(wildcards):
    """Exclusions tables of all stages before the splits."""
    tables = [f"{LAYOUT.root}/cohorts/{wildcards.cohort}/exclusions.parquet"]
    masks = shards_of("masks", ".exclusions.parquet")(wildcards) if STUDY.cohorts[wildcards.cohort].tissues else []
    return tables + shards_of("volumes", ".exclusions.parquet")(wildcards) + masks


def deciding_exclusions(wildcards):
    """Exclusions tables that decide whether a case is in the study: those of masks only where masks
    are required, so that a change of their checks does not retrain.
    """
    return [file for file in exclusions_of(wildcards) if STUDY.masks.required or f"{LAYOUT.root}/masks/" not in file]


def undeclared_cases(wildcards):
    """Cases tables of the cohorts beside a cohort for which the study does not declare whether they
    have people in common; empty where it does.
    """
    unclear = LAYOUT.undeclared_cohorts(wildcards.cohort)
    return LAYOUT.cohort_tables("cases", unclear) if unclear else []


def beside_volumes(wildcards):
    """Indices of the images with which a cohort's are compared: of its views, in every cohort that
    has them.
    """
    views = STUDY.cohorts[wildcards.cohort].views
    return [
        file
        for view in views
        for file in LAYOUT.shard_files("volumes", view, ".parquet", LAYOUT.cohorts_with_view(view))
    ]


def role_of(wildcards):
    """Role of a cohort's cases: develop, external or unlabelled."""
    cohort = STUDY.cohorts[wildcards.cohort]
    return "unlabelled" if cohort.unlabelled else cohort.role
