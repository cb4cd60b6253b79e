"""
The severity axis and other measures of the representation, one job per run.

REQUIRED INPUTS: <out>/embeddings/{arm}/seed-{seed}.parquet, labels; the phantom's truth where there is one
OUTPUTS: <out>/geometry/{arm}/seed-{seed}.axis.parquet, <out>/geometry/{arm}/seed-{seed}.measures.parquet
"""


rule geometry:
    """Find the severity axis of one run."""
    input:
        embeddings="<out>/embeddings/{arm}/seed-{seed}.parquet",
        labels=lambda wildcards: LAYOUT.labels(wildcards.arm),
        truth=LAYOUT.truths(),
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
        geometry=plain(STUDY.geometry),
    script:
        "../../scripts/geometry.py"
