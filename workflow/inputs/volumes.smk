"""Input functions and params of the rules of volumes."""


def recipe(wildcards):
    """What one shard of a stage is made from: code, configuration, and the digest of its raw files.

    By that digest a changed subject reruns its own shard alone. The number of shards decides which
    subjects are in which.
    """
    cohort, (stage, _, grid) = STUDY.cohorts[wildcards.cohort], wildcards.stage.partition("/")
    if stage == "inputs":
        return {"code": code("make_inputs"), "shape": list(STUDY.grids[grid].shape)}
    raw = {
        "raw": raw_index(wildcards.cohort).get(int(wildcards.shard), ""),
        "root": cohort_root(wildcards.cohort),
        "shards": cohort.shards,
    }
    if stage == "masks":
        return raw | {"code": code("make_masks"), "tissues": plain(cohort)["tissues"], "checks": plain(STUDY.masks)}
    declared = {key: value for key in ("orientation", "spacing_mm") if (value := plain(cohort).get(key)) is not None}
    return raw | {"code": code("make_volumes"), "view": plain(STUDY.views[wildcards.view])} | declared


def shards_of_cohort(stage, suffix, wildcards):
    """Files of volumes or masks of the wildcards' cohort and view; empty for masks of a cohort
    without any.
    """
    has = stage != "masks" or STUDY.cohorts[wildcards.cohort].tissues
    return LAYOUT.shard_files(stage, wildcards.view, suffix, [wildcards.cohort]) if has else []
