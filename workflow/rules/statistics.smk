"""
From predictions to claims: what each run achieved, and candidate against reference on the same cases.

REQUIRED INPUTS: <out>/predictions/{arm}/*.parquet
OUTPUTS: <out>/statistics/metrics.parquet, <out>/statistics/contrasts.parquet
"""


rule metrics:
    input:
        predictions=LAYOUT.predictions(),
    output:
        metrics="<out>/statistics/metrics.parquet",
    params:
        code=code("metrics"),
        levels=LEVELS,
        statistics=STUDY.statistics.model_dump(mode="json", exclude={"contrasts", "families", "mcnemar"}),
    log:
        "<logs>/metrics.log",
    benchmark:
        "<benchmarks>/metrics.jsonl"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    conda:
        "../../envs/analysis.yaml"
    message:
        "Measuring what each run achieved"
    script:
        "../../scripts/metrics.py"


rule contrasts:
    input:
        predictions=LAYOUT.predictions(),
    output:
        contrasts="<out>/statistics/contrasts.parquet",
    params:
        code=code("contrasts"),
        levels=LEVELS,
        arms=LAYOUT.factors(),
        statistics=plain(STUDY.statistics),
    log:
        "<logs>/contrasts.log",
    benchmark:
        "<benchmarks>/contrasts.jsonl"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    conda:
        "../../envs/analysis.yaml"
    message:
        "Comparing candidate and reference arms on the same cases"
    script:
        "../../scripts/contrasts.py"
