"""
Metrics of each run, and comparisons of candidate with reference arms on the same cases.

REQUIRED INPUTS: <out>/predictions/{arm}/*.parquet; cases tables for subgroups; axes and overlaps
                 for the claim
OUTPUTS: <out>/statistics/{metrics,contrasts,subgroups,external,claim}.parquet
"""


include: "../inputs/statistics.smk"


rule metrics:
    """Compute the metrics of each run."""
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
        statistics=statistics_of("confidence", "resamples", "seed", "threshold"),
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
        arms=LAYOUT.arms_and_ensembles(),
        statistics=STUDY.statistics.model_dump(mode="json", exclude={"subgroups", "claim"}),
    script:
        "../../scripts/contrasts.py"


rule subgroups:
    """Compare arms within subgroups of cases, and test the interactions."""
    input:
        predictions=LAYOUT.predictions(),
        cases=subgroup_cases(),
    output:
        subgroups="<out>/statistics/subgroups.parquet",
    log:
        "<logs>/subgroups.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("subgroups"),
        levels=LEVELS,
        arms=LAYOUT.arms_and_ensembles(),
        statistics=statistics_of("confidence", "threshold", "contrasts", "subgroups"),
    script:
        "../../scripts/subgroups.py"


rule external:
    """Measure every arm and ensemble on the external cohorts."""
    input:
        predictions=LAYOUT.predictions(),
    output:
        external="<out>/statistics/external.parquet",
    log:
        "<logs>/external.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("external"),
        external=LAYOUT.external_cohorts(),
        levels=LEVELS,
        statistics=statistics_of("confidence", "seed", "threshold"),
    script:
        "../../scripts/external.py"


rule claim:
    """Join the changes in prediction, in the order of the axis and in saliency between modes."""
    input:
        predictions=LAYOUT.predictions(),
        axes=LAYOUT.axes(),
        overlaps=claim_overlaps(),
    output:
        claim="<out>/statistics/claim.parquet",
    log:
        "<logs>/claim.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("claim"),
        levels=LEVELS,
        arms=LAYOUT.factors(),
        statistics=statistics_of("confidence", "resamples", "seed", "contrasts", "claim"),
    script:
        "../../scripts/claim.py"
