"""
Canonical volumes, masks on the same grid, and the input grids of arms: one job per shard of
subjects.

REQUIRED INPUTS: raw images and masks; <out>/cohorts/{cohort}/images.parquet  (ancient: the digests
                 of a shard's own files decide)
OUTPUTS: <out>/{stage}/{cohort}/{view}/shard-{shard}.json, what a shard of volumes, masks or
         inputs/{grid} is made from
         <out>/volumes/{cohort}/{view}/shard-{shard}.{npy,parquet,exclusions.parquet}
         <out>/masks/{cohort}/{view}/shard-{shard}.{npy,parquet,cartilage.parquet,exclusions.parquet}
         <out>/quality/{cohort}/{view}.{parquet,pdf,png}
         <out>/inputs/{grid}/{cohort}/{view}/shard-{shard}.{npy,parquet}
         <out>/{stage}/{cohort}/{view}/shards.json, stage being volumes, masks or inputs/{grid}
"""


include: "../inputs/volumes.smk"


rule describe_shard:
    """Record what one shard is made from, besides files.

    Snakemake does not compare the params of a job that depends on one that runs, even through
    ancient inputs: where a cohort's tables are read again, a change of a shard's params would be
    missed. This job has no inputs, so its params are always compared.
    """
    output:
        recipe="<out>/{stage}/{cohort}/{view}/shard-{shard}.json",
    log:
        "<logs>/describe_shard/{stage}-{cohort}-{view}-{shard}.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("describe_shard"),
        recipe=recipe,
    script:
        "../../scripts/describe_shard.py"


rule make_volumes:
    """Convert one shard's raw images to canonical volumes."""
    input:
        recipe="<out>/volumes/{cohort}/{view}/shard-{shard}.json",
        raw=lambda wildcards: phantom_raw(wildcards.cohort, ["images"]),
        cases=ancient("<out>/cohorts/{cohort}/cases.parquet"),
        images=ancient("<out>/cohorts/{cohort}/images.parquet"),
    output:
        array="<out>/volumes/{cohort}/{view}/shard-{shard}.npy",
        index="<out>/volumes/{cohort}/{view}/shard-{shard}.parquet",
        exclusions="<out>/volumes/{cohort}/{view}/shard-{shard}.exclusions.parquet",
    log:
        "<logs>/make_volumes/{cohort}-{view}-{shard}.log",
    benchmark:
        "<benchmarks>/make_volumes/{cohort}-{view}-{shard}.jsonl"
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=code("make_volumes"),
        root=lambda wildcards: cohort_root(wildcards.cohort),
        view=lambda wildcards: plain(STUDY.views[wildcards.view]),
        orientation=lambda wildcards: STUDY.cohorts[wildcards.cohort].orientation,
        spacing_mm=lambda wildcards: plain(STUDY.cohorts[wildcards.cohort]).get("spacing_mm"),
    script:
        "../../scripts/make_volumes.py"


rule make_masks:
    """Align one shard's masks with its volumes, check and measure them."""
    input:
        recipe="<out>/masks/{cohort}/{view}/shard-{shard}.json",
        raw=lambda wildcards: phantom_raw(wildcards.cohort, ["masks"]),
        images=ancient("<out>/cohorts/{cohort}/images.parquet"),
        volumes="<out>/volumes/{cohort}/{view}/shard-{shard}.npy",
        index="<out>/volumes/{cohort}/{view}/shard-{shard}.parquet",
    output:
        array="<out>/masks/{cohort}/{view}/shard-{shard}.npy",
        index="<out>/masks/{cohort}/{view}/shard-{shard}.parquet",
        cartilage="<out>/masks/{cohort}/{view}/shard-{shard}.cartilage.parquet",
        exclusions="<out>/masks/{cohort}/{view}/shard-{shard}.exclusions.parquet",
    log:
        "<logs>/make_masks/{cohort}-{view}-{shard}.log",
    benchmark:
        "<benchmarks>/make_masks/{cohort}-{view}-{shard}.jsonl"
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=code("make_masks"),
        root=lambda wildcards: cohort_root(wildcards.cohort),
        tissues=lambda wildcards: plain(STUDY.cohorts[wildcards.cohort])["tissues"],
        checks=plain(STUDY.masks),
    script:
        "../../scripts/make_masks.py"


rule quality:
    """Rank a cohort's images and masks, and draw them for a visual check."""
    input:
        volume_arrays=lambda wildcards: shards_of_cohort("volumes", ".npy", wildcards),
        volume_indices=lambda wildcards: shards_of_cohort("volumes", ".parquet", wildcards),
        volume_exclusions=lambda wildcards: shards_of_cohort("volumes", ".exclusions.parquet", wildcards),
        mask_arrays=lambda wildcards: shards_of_cohort("masks", ".npy", wildcards),
        mask_indices=lambda wildcards: shards_of_cohort("masks", ".parquet", wildcards),
        mask_exclusions=lambda wildcards: shards_of_cohort("masks", ".exclusions.parquet", wildcards),
        cartilage=lambda wildcards: shards_of_cohort("masks", ".cartilage.parquet", wildcards),
    output:
        table="<out>/quality/{cohort}/{view}.parquet",
        pdf="<out>/quality/{cohort}/{view}.pdf",
        png="<out>/quality/{cohort}/{view}.png",
    log:
        "<logs>/quality/{cohort}-{view}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("quality"),
        tissues=lambda wildcards: list(STUDY.cohorts[wildcards.cohort].tissues),
        cases=STUDY.quality.cases,
        figures=plain(STUDY.figures),
    script:
        "../../scripts/quality.py"


rule make_inputs:
    """Resample one shard of volumes to an arm's grid."""
    input:
        recipe="<out>/inputs/{grid}/{cohort}/{view}/shard-{shard}.json",
        array="<out>/volumes/{cohort}/{view}/shard-{shard}.npy",
        index="<out>/volumes/{cohort}/{view}/shard-{shard}.parquet",
    output:
        array="<out>/inputs/{grid}/{cohort}/{view}/shard-{shard}.npy",
        index="<out>/inputs/{grid}/{cohort}/{view}/shard-{shard}.parquet",
    log:
        "<logs>/make_inputs/{grid}-{cohort}-{view}-{shard}.log",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.ingest.threads
    resources:
        mem_mb=memory("ingest"),
        runtime=minutes("ingest"),
    params:
        code=code("make_inputs"),
        shape=lambda wildcards: list(STUDY.grids[wildcards.grid].shape),
    script:
        "../../scripts/make_inputs.py"


rule list_shards:
    """List the shards of one cohort and view, for jobs that take all of them."""
    input:
        arrays=lambda wildcards: LAYOUT.shard_files(wildcards.stage, wildcards.view, ".npy", [wildcards.cohort]),
        indices=lambda wildcards: LAYOUT.shard_files(wildcards.stage, wildcards.view, ".parquet", [wildcards.cohort]),
    output:
        shards="<out>/{stage}/{cohort}/{view}/shards.json",
    log:
        "<logs>/list_shards/{stage}-{cohort}-{view}.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("list_shards"),
    script:
        "../../scripts/list_shards.py"
