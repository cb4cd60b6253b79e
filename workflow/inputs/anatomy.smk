"""What the rules of anatomy take: input functions and params."""


def tissues_by_cohort(wildcards):
    """Tissue names of the cohorts whose masks an arm is held against."""
    view = STUDY.view_of(LAYOUT.arm(wildcards.arm))
    return {name: plain(STUDY.cohorts[name])["tissues"] for name in LAYOUT.cohorts_with_masks(view)}
