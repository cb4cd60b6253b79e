"""What the rules of phantom take: input functions and params."""

from kneeoa.phantom.plan import releases


def phantom_of(wildcards):
    """The phantom's section of a cohort."""
    return plain(STUDY.cohorts[wildcards.cohort].phantom)


def phantom_root(cohort):
    """Folder of a phantom cohort's raw data."""
    return f"{LAYOUT.root}/phantom/{cohort}"


def phantom_raw(cohort, kinds=("images", "masks", "tables")):
    """Everything that the phantom's rules write of those kinds; nothing for a cohort with raw data
    of its own.
    """
    phantom = STUDY.cohorts[cohort].phantom
    if phantom is None:
        return []
    folders = {"images": "00m", "masks": "masks"}
    root = phantom_root(cohort)
    files = [f"{root}/{folders[kind]}/{name}" for kind in kinds if kind in folders for name in releases(phantom)]
    return files + ([f"{root}/contents.csv", f"{root}/kxr_sq_bu00.txt"] if "tables" in kinds else [])
