"""
From predictions to claims: what each run achieved, and candidate against reference on the same cases.

REQUIRED INPUTS: <out>/predictions/{arm}/*.parquet
OUTPUTS: <out>/statistics/metrics.parquet, <out>/statistics/contrasts.parquet
"""


rule metrics:
    """Measure what each run achieved."""
    input:
        predictions=LAYOUT.predictions(),
    output:
        metrics="<out>/statistics/metrics.parquet",
    log:
        "<logs>/metrics.log",
    benchmark:
        "<benchmarks>/metrics.jsonl"
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("metrics"),
        levels=LEVELS,
        statistics=STUDY.statistics.model_dump(mode="json", exclude={"contrasts", "families", "mcnemar"}),
    script:
        "../../scripts/metrics.py"


rule contrasts:
    """Compare candidate and reference arms on the same cases."""
    input:
        predictions=LAYOUT.predictions(),
    output:
        contrasts="<out>/statistics/contrasts.parquet",
    log:
        "<logs>/contrasts.log",
    benchmark:
        "<benchmarks>/contrasts.jsonl"
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("contrasts"),
        levels=LEVELS,
        arms=LAYOUT.factors(),
        statistics=plain(STUDY.statistics),
    script:
        "../../scripts/contrasts.py"
