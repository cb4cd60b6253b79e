"""Input functions and params of the rules of anatomy."""

from kneeoa.config import level_roles
from kneeoa.config.hierarchy import parse_target
from kneeoa.saliency.methods import registry as saliency_methods


def tissues_by_cohort(wildcards):
    """Tissues of each cohort with masks in an arm's view."""
    view = STUDY.view_of(LAYOUT.arm(wildcards.arm))
    return {name: plain(STUDY.cohorts[name])["tissues"] for name in LAYOUT.cohorts_with_masks(view)}


def tissues_of_cohorts():
    """Tissues of each cohort that has any."""
    return {name: plain(cohort)["tissues"] for name, cohort in STUDY.cohorts.items() if cohort.tissues}


def explained_labels(wildcards):
    """Label tables, where the explained score is that of each case's true class; empty for a binary
    level and for a class that is named.
    """
    target = level_roles.explained_target(STUDY)
    if target is None:
        return []
    level, named = parse_target(target, STUDY.levels)
    return [] if level.binary or named is not None else LAYOUT.labels(wildcards.arm)


def mask_spacing(wildcards):
    """Voxel size (mm) of the masks in an arm's view."""
    return list(STUDY.views[STUDY.view_of(LAYOUT.arm(wildcards.arm))].spacing)


def taken_by(arm):
    """The part of its images that an arm's network takes; None where that is all."""
    factors = LAYOUT.arm(arm)
    crop = factors.training.crop
    return None if crop is None else {"shape": list(STUDY.input_shape(factors)), "crop": list(crop)}


def masks_of_arms():
    """Lists of the shards of masks in the views of all arms, each once."""
    arms = [arm.name for arm in STUDY.arms_table()]
    return list(dict.fromkeys(file for arm in arms for file in LAYOUT.mask_lists(arm)))


def saliency_modules(wildcards):
    """The modules that make a run's maps by one method: its backbone, its mode and the method."""
    return [*members(wildcards.arm), *saliency_methods.code_modules(wildcards.method)]


def graded_levels():
    """The finest ordinal level, by whose grades anatomy is also shown; None without one."""
    graded = [level for level in STUDY.levels if level.ordered]
    return plain(graded[-1]) if graded else None
