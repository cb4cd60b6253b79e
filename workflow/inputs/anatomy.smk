"""What the rules of anatomy take: input functions and params."""

from kneeoa.config import level_roles
from kneeoa.config.hierarchy import explained
from kneeoa.saliency.methods import registry as saliency_methods


def tissues_by_cohort(wildcards):
    """Tissue names of the cohorts whose masks an arm is held against."""
    view = STUDY.view_of(LAYOUT.arm(wildcards.arm))
    return {name: plain(STUDY.cohorts[name])["tissues"] for name in LAYOUT.cohorts_with_masks(view)}


def tissues_of_cohorts():
    """Tissue names of every cohort that has any."""
    return {name: plain(cohort)["tissues"] for name, cohort in STUDY.cohorts.items() if cohort.tissues}


def explained_labels(wildcards):
    """Label tables, where the explained score is of each case's true class; a binary level's, and
    that of a class which is named, need none.
    """
    target = level_roles.explained_target(STUDY)
    if target is None:
        return []
    level, named = explained(target, STUDY.levels)
    return [] if level.binary or named is not None else LAYOUT.labels(wildcards.arm)


def mask_spacing(wildcards):
    """Millimetres of a voxel of the masks in an arm's view."""
    return list(STUDY.views[STUDY.view_of(LAYOUT.arm(wildcards.arm))].spacing)


def masks_of_arms():
    """Lists of the shards of masks in the views of all arms, each once."""
    arms = [arm.name for arm in STUDY.arms_table()]
    return list(dict.fromkeys(file for arm in arms for file in LAYOUT.mask_lists(arm)))


def explaining(wildcards):
    """The modules that a run's maps by one method are made with: its backbone, its mode and the
    method.
    """
    return [*members(wildcards.arm), *saliency_methods.code_modules(wildcards.method)]


def graded_levels():
    """The finest ordinal level, by whose grades anatomy is shown too; none where there is none."""
    graded = [level for level in STUDY.levels if level.ordered]
    return plain(graded[-1]) if graded else None
