"""
The paper's tables, each as CSV (every digit) and LaTeX (for print). No GPU.

REQUIRED INPUTS: the arms table; <out>/statistics, geometry, anatomy, splits' exclusions
OUTPUTS: <out>/tables/{name}.{csv,tex}
"""


include: "../inputs/tables.smk"


rule table_arms:
    """Write the arms table."""
    output:
        csv="<out>/tables/arms.csv",
        tex="<out>/tables/arms.tex",
    log:
        "<logs>/table_arms.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_arms"),
        labels=dict(STUDY.figures.labels),
        arms=arms_rows(),
    script:
        "../../scripts/table_arms.py"


rule table_metrics:
    """Write the table of metrics."""
    input:
        metrics="<out>/statistics/metrics.parquet",
    output:
        csv="<out>/tables/metrics.csv",
        tex="<out>/tables/metrics.tex",
    log:
        "<logs>/table_metrics.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_metrics"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_metrics.py"


rule table_contrasts:
    """Write the comparison table."""
    input:
        contrasts="<out>/statistics/contrasts.parquet",
    output:
        csv="<out>/tables/contrasts.csv",
        tex="<out>/tables/contrasts.tex",
    log:
        "<logs>/table_contrasts.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_contrasts"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_contrasts.py"


rule table_exclusions:
    """Write the table of exclusions."""
    input:
        exclusions=expand("<out>/splits/{cohort}.exclusions.parquet", cohort=STUDY.cohorts),
    output:
        csv="<out>/tables/exclusions.csv",
        tex="<out>/tables/exclusions.tex",
    log:
        "<logs>/table_exclusions.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_exclusions"),
        labels=dict(STUDY.figures.labels),
    script:
        "../../scripts/table_exclusions.py"


rule table_geometry:
    """Write the table of representation measures."""
    input:
        measures=LAYOUT.runs("geometry/{arm}/seed-{seed}.measures.parquet"),
    output:
        csv="<out>/tables/geometry.csv",
        tex="<out>/tables/geometry.tex",
    log:
        "<logs>/table_geometry.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_geometry"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_geometry.py"


rule table_anatomy:
    """Write the table of saliency on anatomy."""
    input:
        summary="<out>/anatomy/summary.parquet",
    output:
        csv="<out>/tables/anatomy.csv",
        tex="<out>/tables/anatomy.tex",
    log:
        "<logs>/table_anatomy.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_anatomy"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_anatomy.py"
