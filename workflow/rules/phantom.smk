"""
The phantom cohort: raw scanner files and tables in OAI's layout, made by the workflow itself.

REQUIRED INPUTS: none; the configuration's `cohorts.<cohort>.phantom`
OUTPUTS: <out>/phantom/{cohort}/  (contents.csv, reading tables, image and mask folders by release)
         <out>/truth/{cohort}.parquet  (latent severity and true grade, apart from what training sees)
"""

from kneeoa.phantom.plan import releases


def phantom_of(wildcards):
    """The phantom's section of a cohort."""
    return plain(STUDY.cohorts[wildcards.cohort].phantom)


def phantom_root(cohort):
    """Folder of a phantom cohort's raw data."""
    return f"{LAYOUT.root}/phantom/{cohort}"


def phantom_raw(cohort, kinds=("images", "masks", "tables")):
    """Everything that the phantom's rules write of those kinds; nothing for a cohort with raw data of its own."""
    phantom = STUDY.cohorts[cohort].phantom
    if phantom is None:
        return []
    folders = {"images": "00m", "masks": "masks"}
    root = phantom_root(cohort)
    files = [f"{root}/{folders[kind]}/{name}" for kind in kinds if kind in folders for name in releases(phantom)]
    return files + ([f"{root}/contents.csv", f"{root}/kxr_sq_bu00.txt"] if "tables" in kinds else [])


rule phantom_tables:
    """Plan the phantom cohort: its tables of images and readings, and the truth apart."""
    output:
        contents="<out>/phantom/{cohort}/contents.csv",
        readings="<out>/phantom/{cohort}/kxr_sq_bu00.txt",
        enrollees="<out>/phantom/{cohort}/enrollees.txt",
        truth="<out>/truth/{cohort}.parquet",
    log:
        "<logs>/phantom_tables/{cohort}.log",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.phantom.threads
    resources:
        mem_mb=memory("phantom"),
        runtime=minutes("phantom"),
    params:
        code=code("phantom_tables"),
        phantom=phantom_of,
    script:
        "../../scripts/phantom_tables.py"


rule phantom_images:
    """Scan the phantom knees of one release."""
    output:
        images=directory("<out>/phantom/{cohort}/00m/{release}"),
        masks=directory("<out>/phantom/{cohort}/masks/{release}"),
    log:
        "<logs>/phantom_images/{cohort}-{release}.log",
    benchmark:
        "<benchmarks>/phantom_images/{cohort}-{release}.jsonl"
    wildcard_constraints:
        release=r"0\.[A-Z]+\.1",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.phantom.threads
    resources:
        mem_mb=memory("phantom"),
        runtime=minutes("phantom"),
    params:
        code=code("phantom_images"),
        phantom=phantom_of,
    script:
        "../../scripts/phantom_images.py"
