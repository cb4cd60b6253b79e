"""What the rules of statistics take: input functions and params."""


def statistics_of(*keys):
    """The keys of the section that a rule depends on."""
    return STUDY.statistics.model_dump(mode="json", include=set(keys))


def subgroup_cases():
    """Cases tables, where a subgroup is a column of theirs; imported predictions have none."""
    return LAYOUT.cohort_tables("cases") if STUDY.cohorts else []


def claim_overlaps():
    """What was measured on the maps of the first method of saliency, where there are masks."""
    return LAYOUT.maps(".parquet", STUDY.saliency.methods[0], folder="anatomy") if LAYOUT.has_masks() else []
