"""What the rules of splits take: input functions and params."""

from kneeoa.config.people import same_as


def shards_of(stage, suffix):
    """Files of a stage for every shard and view of the wildcard's cohort."""

    def files(wildcards):
        views = STUDY.cohorts[wildcards.cohort].views
        return [file for view in views for file in LAYOUT.shard_files(stage, view, suffix, [wildcards.cohort])]

    return files


def exclusions_of(wildcards):
    """Exclusions of every stage before the splits."""
    own = [f"{LAYOUT.root}/cohorts/{wildcards.cohort}/exclusions.parquet"]
    masks = shards_of("masks", ".exclusions.parquet")(wildcards) if STUDY.cohorts[wildcards.cohort].tissues else []
    return own + shards_of("volumes", ".exclusions.parquet")(wildcards) + masks


def deciding_exclusions(wildcards):
    """Exclusions that take a case out: those of masks only where a case needs one, so that a check
    of masks does not retrain.
    """
    return [file for file in exclusions_of(wildcards) if STUDY.masks.required or f"{LAYOUT.root}/masks/" not in file]


def undeclared_cases(wildcards):
    """Cases of the cohorts beside a cohort of which the study does not say whether they have people
    in common; none where it does.
    """
    unclear = LAYOUT.undeclared_beside(wildcards.cohort)
    return LAYOUT.cohort_tables("cases", unclear) if unclear else []


def beside_volumes(wildcards):
    """Indices of the images that a cohort's are held against: of its views, in every cohort that
    has them.
    """
    views = STUDY.cohorts[wildcards.cohort].views
    return [
        file
        for view in views
        for file in LAYOUT.shard_files("volumes", view, ".parquet", LAYOUT.cohorts_with_view(view))
    ]


def role_of(wildcards):
    """What becomes of a cohort's cases: develop, external, or nothing where it is unlabelled."""
    cohort = STUDY.cohorts[wildcards.cohort]
    return "unlabelled" if cohort.unlabelled else cohort.role
