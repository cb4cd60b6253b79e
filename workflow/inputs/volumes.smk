"""What the rules of volumes take: input functions and params."""


def shard_digest(wildcards):
    """What the raw files of a shard are, so that a changed subject reruns its own shard alone."""
    return raw_index(wildcards.cohort).get(int(wildcards.shard), "")


def of_cohort(stage, suffix, wildcards):
    """Files of volumes or masks of the wildcards' cohort and view; none of masks where the cohort has none."""
    has = stage != "masks" or STUDY.cohorts[wildcards.cohort].tissues
    return LAYOUT.shard_files(stage, wildcards.view, suffix, [wildcards.cohort]) if has else []
