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
        arms=LAYOUT.compared(),
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
        arms=LAYOUT.compared(),
    script:
        "../../scripts/table_contrasts.py"


rule table_claim:
    """Write the table of the claim."""
    input:
        claim="<out>/statistics/claim.parquet",
    output:
        csv="<out>/tables/claim.csv",
        tex="<out>/tables/claim.tex",
    log:
        "<logs>/table_claim.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_claim"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_claim.py"


rule table_subgroups:
    """Write the table of subgroups."""
    input:
        subgroups="<out>/statistics/subgroups.parquet",
    output:
        csv="<out>/tables/subgroups.csv",
        tex="<out>/tables/subgroups.tex",
    log:
        "<logs>/table_subgroups.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_subgroups"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.compared(),
    script:
        "../../scripts/table_subgroups.py"


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
        measures=LAYOUT.measures(),
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


rule table_differences:
    """Write the table of differences along the axis."""
    input:
        differences="<out>/geometry/differences.parquet",
    output:
        csv="<out>/tables/differences.csv",
        tex="<out>/tables/differences.tex",
    log:
        "<logs>/table_differences.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_differences"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_differences.py"


rule table_similarity:
    """Write the table of similarity between runs."""
    input:
        similarity="<out>/geometry/similarity.parquet",
    output:
        csv="<out>/tables/similarity.csv",
        tex="<out>/tables/similarity.tex",
    log:
        "<logs>/table_similarity.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_similarity"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_similarity.py"


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


rule table_sanity:
    """Write the table of sanity checks of saliency."""
    input:
        sanity="<out>/anatomy/sanity.parquet",
    output:
        csv="<out>/tables/sanity.csv",
        tex="<out>/tables/sanity.tex",
    log:
        "<logs>/table_sanity.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_sanity"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_sanity.py"


rule table_deletion:
    """Write the table of deletions."""
    input:
        summary="<out>/anatomy/deletion.parquet",
    output:
        csv="<out>/tables/deletion.csv",
        tex="<out>/tables/deletion.tex",
    log:
        "<logs>/table_deletion.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("table_deletion"),
        labels=dict(STUDY.figures.labels),
        arms=LAYOUT.factors(),
    script:
        "../../scripts/table_deletion.py"
