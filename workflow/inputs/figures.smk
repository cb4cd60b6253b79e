"""What the rules of figures take: input functions and params."""


def graded_level():
    """The finest level with more than two classes: what confusion matrices and severity axes are
    of.
    """
    graded = [level for level in STUDY.levels if level.kind in ("ordinal", "multiclass")]
    return plain(graded[-1]) if graded else None


def pictured_view():
    """The view that pictures show: the first arm's."""
    arms = STUDY.arms_table()
    return STUDY.view_of(arms[0]) if arms else None


def tissues_of_view():
    """Cohort -> its tissues, for cohorts with masks on the pictured view."""
    return {name: list(STUDY.cohorts[name].tissues) for name in LAYOUT.cohorts_with_masks(pictured_view())}


def pictures(stage):
    """Lists of the shards of volumes or masks of the pictured view."""
    view = pictured_view()
    cohorts = LAYOUT.cohorts_with_masks(view) if stage == "masks" else LAYOUT.cohorts_with_view(view)
    return LAYOUT.shard_lists(stage, view, cohorts)


def pictured_maps(suffix):
    """Maps that the picture shows, by the first method: of the arms that differ from the first in
    their mode, with the lowest seed.
    """
    arms = LAYOUT.factors() if STUDY.cohorts else {}
    shared = [{key: own[key] for key in own if key not in ("mode", "training")} for own in arms.values()]
    shown = [name for name, own in zip(arms, shared) if own == shared[0]]
    name = f"{min(STUDY.seeds)}.{STUDY.saliency.methods[0]}{suffix}"
    return [f"{LAYOUT.root}/saliency/{arm}/seed-{name}" for arm in shown]


FIGURES = plain(STUDY.figures)
TARGETS = {name: list(tissues) for name, tissues in STUDY.anatomy.targets.items()}
