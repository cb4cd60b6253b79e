"""
The phantom cohort: raw scanner files and tables in OAI's layout, made by the workflow itself.

REQUIRED INPUTS: none; the configuration's `cohorts.<cohort>.phantom`
OUTPUTS: <out>/phantom/{cohort}/  (contents.csv and reading tables, or knees.csv; image and mask
         folders by release)
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
    wildcard_constraints:
        cohort=one_of(phantoms("mri", "films", "archives")),
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


rule phantom_manifest:
    """Write the table of a phantom cohort's pictures of one knee each, and its truth."""
    output:
        table="<out>/phantom/{cohort}/knees.csv",
        truth="<out>/truth/{cohort}.parquet",
    log:
        "<logs>/phantom_manifest/{cohort}.log",
    wildcard_constraints:
        cohort=one_of(phantoms("knees")),
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.phantom.threads
    resources:
        mem_mb=memory("phantom"),
        runtime=minutes("phantom"),
    params:
        code=code("phantom_manifest"),
        phantom=phantom_of,
    script:
        "../../scripts/phantom_manifest.py"


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
        cohort=one_of(phantoms("mri")),
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


rule phantom_radiographs:
    """Take the radiographs of the phantom's people of one release."""
    output:
        images=directory("<out>/phantom/{cohort}/00m/{release}"),
        masks=directory("<out>/phantom/{cohort}/masks/{release}"),
    log:
        "<logs>/phantom_radiographs/{cohort}-{release}.log",
    benchmark:
        "<benchmarks>/phantom_radiographs/{cohort}-{release}.jsonl"
    wildcard_constraints:
        cohort=one_of(phantoms("films", "archives", "knees")),
        release=r"0\.[A-Z]+\.1",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.phantom.threads
    resources:
        mem_mb=memory("phantom"),
        runtime=minutes("phantom"),
    params:
        code=code("phantom_radiographs"),
        phantom=phantom_of,
    script:
        "../../scripts/phantom_radiographs.py"
