"""
The severity axis and other measures of the representation, one job per run; baselines, and
comparisons of runs and modes.

REQUIRED INPUTS: <out>/embeddings/{arm}/seed-{seed}.parquet, labels; the phantom's truth and the
                 masks' index where they exist; volumes for the baselines
OUTPUTS: <out>/geometry/{arm}/seed-{seed}.{axis,measures}.parquet
         <out>/embeddings_untrained/{arm}/seed-{seed}.parquet
         <out>/embeddings_untrained/raw-images/{view}.parquet
         <out>/geometry/{baselines,differences,similarity}.parquet
         <out>/statistics/associations.parquet
"""


include: "../inputs/geometry.smk"


rule geometry:
    """Fit the severity axis of one run, and measure its representation."""
    input:
        embeddings="<out>/embeddings/{arm}/seed-{seed}.parquet",
        labels=lambda wildcards: LAYOUT.labels(wildcards.arm),
        truth=LAYOUT.truths(),
        masks=lambda wildcards: LAYOUT.mask_lists(wildcards.arm),
    output:
        axis="<out>/geometry/{arm}/seed-{seed}.axis.parquet",
        measures="<out>/geometry/{arm}/seed-{seed}.measures.parquet",
    log:
        "<logs>/geometry/{arm}-seed-{seed}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("geometry"),
        study=STUDY.study,
        levels=LEVELS,
        geometry=geometry_settings(),
    script:
        "../../scripts/geometry.py"


rule embed_untrained:
    """Embed every case with one untrained network."""
    input:
        volumes=lambda wildcards: LAYOUT.volume_lists(wildcards.arm),
        splits=lambda wildcards: LAYOUT.evaluation_splits(wildcards.arm),
    output:
        embeddings="<out>/embeddings_untrained/{arm}/seed-{seed}.parquet",
    log:
        "<logs>/embed_untrained/{arm}-seed-{seed}.log",
    conda:
        "../../envs/train.yaml"
    threads: STUDY.resources.explain.threads
    resources:
        gpu=STUDY.resources.explain.gpus,
        mem_mb=memory("explain"),
        runtime=minutes("explain"),
    params:
        code=lambda wildcards: code("embed_untrained", members(wildcards.arm)),
        study=STUDY.study,
        name=lambda wildcards: LAYOUT.untrained()[wildcards.arm],
        network=untrained_network_of,
        batch=lambda wildcards: LAYOUT.arm(wildcards.arm).training.predict_batch,
        threads=STUDY.resources.explain.threads,
    script:
        "../../scripts/embed_untrained.py"


rule embed_raw_images:
    """Compute the principal components of one view's images."""
    input:
        volumes=lambda wildcards: LAYOUT.shard_lists(
            "volumes", wildcards.view, LAYOUT.cohorts_with_view(wildcards.view)
        ),
        splits=lambda wildcards: [
            f"{LAYOUT.root}/splits/{name}.evaluated.parquet" for name in LAYOUT.cohorts_with_view(wildcards.view)
        ],
    output:
        embeddings="<out>/embeddings_untrained/raw-images/{view}.parquet",
    log:
        "<logs>/embed_raw_images/{view}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("embed_raw_images"),
        study=STUDY.study,
        name=lambda wildcards: LAYOUT.raw_images()[wildcards.view],
        shape=lambda wildcards: list(STUDY.views[wildcards.view].shape),
        grid=STUDY.geometry.raw_grid,
    script:
        "../../scripts/embed_raw_images.py"


rule geometry_baselines:
    """Measure the baselines: untrained networks and raw images."""
    input:
        networks=LAYOUT.untrained_networks(),
        images=LAYOUT.raw_components(),
        labels=LAYOUT.cohort_tables("labels"),
        truth=LAYOUT.truths(),
    output:
        measures="<out>/geometry/baselines.parquet",
    log:
        "<logs>/geometry_baselines.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("geometry_baselines"),
        study=STUDY.study,
        levels=LEVELS,
        geometry=geometry_settings(),
    script:
        "../../scripts/geometry_baselines.py"


rule differences:
    """Compare the severity axes of candidate and reference arms."""
    input:
        axes=LAYOUT.runs("geometry/{arm}/seed-{seed}.axis.parquet"),
    output:
        differences="<out>/geometry/differences.parquet",
    log:
        "<logs>/differences.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("differences"),
        study=STUDY.study,
        levels=LEVELS,
        arms=LAYOUT.factors(),
        contrasts=[plain(contrast) for contrast in STUDY.statistics.contrasts],
        geometry=geometry_settings(),
    script:
        "../../scripts/differences.py"


rule associations:
    """Correlate the axis and saliency with the grade, adjusted and within people; measure the
    agreement of seeds and raters.
    """
    input:
        axes=LAYOUT.runs("geometry/{arm}/seed-{seed}.axis.parquet"),
        overlaps=LAYOUT.maps(".parquet", folder="anatomy") if LAYOUT.has_masks() else [],
        predictions=LAYOUT.runs("predictions/{arm}/seed-{seed}.parquet"),
        cases=LAYOUT.cohort_tables("cases"),
        labels=LAYOUT.cohort_tables("labels"),
        readings=[file.removesuffix(".json") + ".parquet" for file in LAYOUT.agreements()],
    output:
        associations="<out>/statistics/associations.parquet",
    log:
        "<logs>/associations.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("associations"),
        study=STUDY.study,
        levels=LEVELS,
        level=STUDY.geometry.level,
        measure=STUDY.statistics.claim.measure,
        resampling={
            "confidence": STUDY.geometry.confidence,
            "resamples": STUDY.geometry.resamples,
            "seed": STUDY.geometry.seed,
        },
    script:
        "../../scripts/associations.py"


rule similarity:
    """Compare the representations of all runs."""
    input:
        embeddings=LAYOUT.runs("embeddings/{arm}/seed-{seed}.parquet"),
    output:
        similarity="<out>/geometry/similarity.parquet",
    log:
        "<logs>/similarity.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("similarity"),
        study=STUDY.study,
        arms=LAYOUT.factors(),
        varied=LAYOUT.varied_factors(),
        confidence=STUDY.geometry.confidence,
    script:
        "../../scripts/similarity.py"
