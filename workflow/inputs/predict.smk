"""Input functions and params of the rules of predict."""

from kneeoa.config.prediction import flipped_axes


def import_file(wildcards):
    """The table from which an arm is imported."""
    folder = os.path.expandvars(STUDY.imports.folder)
    if not os.path.isdir(folder):
        raise WorkflowError(
            f"imports.folder is '{STUDY.imports.folder}', which is no folder here ({folder}); "
            "set the environment variable that it names, or name the folder of the tables in the configuration."
        )
    return os.path.join(folder, STUDY.imports.arms[wildcards.arm].file)


def flips_of(arm):
    """The axes along which mirror images of an arm's images are also predicted."""
    return list(flipped_axes(STUDY.views[STUDY.view_of(LAYOUT.arm(arm))], STUDY.predict.flips))
