"""Input functions and params of the rules of phantom."""

from kneeoa.phantom.plan import releases


def phantom_of(wildcards):
    """The section `phantom` of a cohort, its keys by the names that finished studies have recorded."""
    return STUDY.cohorts[wildcards.cohort].phantom.model_dump(mode="json", by_alias=True)


def phantom_root(cohort):
    """Folder of a phantom cohort's raw data."""
    return f"{LAYOUT.root}/phantom/{cohort}"


def phantom_raw(cohort, kinds=("images", "masks", "tables")):
    """All files of those kinds that the phantom's rules write; empty for a cohort of real data."""
    phantom = STUDY.cohorts[cohort].phantom
    if phantom is None:
        return []
    folders = {"images": "00m", "masks": "masks"}
    root = phantom_root(cohort)
    files = [f"{root}/{folders[kind]}/{name}" for kind in kinds if kind in folders for name in releases(phantom)]
    return files + ([f"{root}/contents.csv", f"{root}/kxr_sq_bu00.txt"] if "tables" in kinds else [])
