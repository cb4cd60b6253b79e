"""
The phantom cohort: raw scanner files and tables in OAI's layout, made by the workflow itself.

REQUIRED INPUTS: none; the configuration's `cohorts.<cohort>.phantom`
OUTPUTS: <out>/phantom/{cohort}/  (contents.csv, reading tables, image and mask folders by release)
         <out>/truth/{cohort}.parquet  (latent severity and true grade, which training never reads)
"""


include: "../inputs/phantom.smk"


rule phantom_tables:
    """Write the phantom cohort's tables of images and readings, and its truth."""
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
