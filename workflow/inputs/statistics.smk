"""Input functions and params of the rules of statistics."""


def statistics_of(*keys):
    """The given keys of the section `statistics`, for a rule that depends on them."""
    return STUDY.statistics.model_dump(mode="json", include=set(keys))


def subgroup_cases():
    """Cases tables, in which subgroups are columns; empty for imported predictions."""
    return LAYOUT.cohort_tables("cases") if STUDY.cohorts else []


def claim_overlaps():
    """Tables of the overlap with tissues by the first method of saliency; empty without masks."""
    return LAYOUT.maps(".parquet", STUDY.saliency.methods[0], folder="anatomy") if LAYOUT.has_masks() else []
