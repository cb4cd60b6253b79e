"""
Figures, each as PDF and PNG: from tables alone, but for the pictures of volumes and saliency. No
GPU.

REQUIRED INPUTS: <out>/statistics, geometry, anatomy, predictions, runs' histories; volumes, masks
and maps for the pictures OUTPUTS: <out>/figures/{name}.{pdf,png}

The slowest to draw have priority: begun last, each would keep one core busy while the others have
nothing left.
"""


include: "../inputs/figures.smk"


rule figure_flow:
    """Draw the flow of cases."""
    input:
        flows=expand("<out>/splits/{cohort}.flow.json", cohort=STUDY.cohorts),
    output:
        pdf="<out>/figures/flow.pdf",
        png="<out>/figures/flow.png",
    log:
        "<logs>/figure_flow.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_flow"),
        levels={level.name: list(level.classes) for level in STUDY.levels},
        figures=FIGURES,
    script:
        "../../scripts/figure_flow.py"


rule figure_volumes:
    """Draw example volumes with their masks."""
    input:
        volumes=lambda wildcards: pictures("volumes"),
        masks=lambda wildcards: pictures("masks"),
        labels=LAYOUT.cohort_tables("labels"),
        splits=LAYOUT.splits(),
    output:
        pdf="<out>/figures/volumes.pdf",
        png="<out>/figures/volumes.png",
    log:
        "<logs>/figure_volumes.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_volumes"),
        tissues=lambda wildcards: tissues_of_view(),
        view=pictured_view(),
        level=STUDY.levels[-1].name,
        figures=FIGURES,
    script:
        "../../scripts/figure_volumes.py"


rule figure_learning:
    """Draw learning curves."""
    input:
        histories=LAYOUT.runs("runs/{arm}/seed-{seed}/history.parquet"),
    output:
        pdf="<out>/figures/learning.pdf",
        png="<out>/figures/learning.png",
    log:
        "<logs>/figure_learning.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_learning"),
        arms=LAYOUT.factors(),
        figures=FIGURES,
    script:
        "../../scripts/figure_learning.py"


rule figure_roc:
    """Draw ROC curves."""
    input:
        predictions=LAYOUT.predictions(),
        metrics="<out>/statistics/metrics.parquet",
    output:
        pdf="<out>/figures/roc.pdf",
        png="<out>/figures/roc.png",
    log:
        "<logs>/figure_roc.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_roc"),
        confidence=STUDY.statistics.confidence,
        arms=LAYOUT.compared(),
        level=binary_level(),
        figures=FIGURES,
    script:
        "../../scripts/figure_roc.py"


rule figure_reliability:
    """Draw reliability curves."""
    input:
        predictions=LAYOUT.predictions(),
        metrics="<out>/statistics/metrics.parquet",
    output:
        pdf="<out>/figures/reliability.pdf",
        png="<out>/figures/reliability.png",
    log:
        "<logs>/figure_reliability.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_reliability"),
        confidence=STUDY.statistics.confidence,
        arms=LAYOUT.compared(),
        level=binary_level(),
        figures=FIGURES,
    script:
        "../../scripts/figure_reliability.py"


rule figure_decision:
    """Draw decision curves."""
    input:
        predictions=LAYOUT.predictions(),
    output:
        pdf="<out>/figures/decision.pdf",
        png="<out>/figures/decision.png",
    log:
        "<logs>/figure_decision.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_decision"),
        confidence=STUDY.statistics.confidence,
        arms=LAYOUT.compared(),
        level=binary_level(),
        figures=FIGURES,
    script:
        "../../scripts/figure_decision.py"


rule figure_confusion:
    """Draw confusion matrices."""
    input:
        predictions=LAYOUT.predictions(),
        metrics="<out>/statistics/metrics.parquet",
    output:
        pdf="<out>/figures/confusion.pdf",
        png="<out>/figures/confusion.png",
    log:
        "<logs>/figure_confusion.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_confusion"),
        arms=LAYOUT.compared(),
        level=graded_level(),
        figures=FIGURES,
    script:
        "../../scripts/figure_confusion.py"


rule figure_forest:
    """Draw the forest plot of contrasts."""
    input:
        contrasts="<out>/statistics/contrasts.parquet",
    output:
        pdf="<out>/figures/forest.pdf",
        png="<out>/figures/forest.png",
    log:
        "<logs>/figure_forest.log",
    priority: 1
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_forest"),
        confidence=STUDY.statistics.confidence,
        arms=LAYOUT.compared(),
        figures=FIGURES,
    script:
        "../../scripts/figure_forest.py"


rule figure_claim:
    """Draw the claim: prediction, axis and saliency side by side."""
    input:
        claim="<out>/statistics/claim.parquet",
    output:
        pdf="<out>/figures/claim.pdf",
        png="<out>/figures/claim.png",
    log:
        "<logs>/figure_claim.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_claim"),
        confidence=STUDY.statistics.confidence,
        arms=LAYOUT.factors(),
        figures=FIGURES,
    script:
        "../../scripts/figure_claim.py"


rule figure_axis:
    """Draw the severity axis."""
    input:
        axes=LAYOUT.first_runs("geometry/{arm}/seed-{seed}.axis.parquet"),
        measures=LAYOUT.runs("geometry/{arm}/seed-{seed}.measures.parquet"),
    output:
        pdf="<out>/figures/axis.pdf",
        png="<out>/figures/axis.png",
    log:
        "<logs>/figure_axis.log",
    priority: 1
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_axis"),
        confidence=STUDY.geometry.confidence,
        arms=LAYOUT.factors(),
        axis=STUDY.geometry.axes[0],
        level=graded_level(),
        figures=FIGURES,
    script:
        "../../scripts/figure_axis.py"


rule figure_similarity:
    """Draw the similarity of all runs."""
    input:
        similarity="<out>/geometry/similarity.parquet",
    output:
        pdf="<out>/figures/similarity.pdf",
        png="<out>/figures/similarity.png",
    log:
        "<logs>/figure_similarity.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_similarity"),
        arms=LAYOUT.factors(),
        figures=FIGURES,
    script:
        "../../scripts/figure_similarity.py"


rule figure_saliency:
    """Draw saliency over anatomy."""
    input:
        maps=pictured_maps(".npy"),
        map_indices=pictured_maps(".parquet"),
        volumes=lambda wildcards: pictures("volumes"),
        masks=lambda wildcards: pictures("masks"),
        labels=LAYOUT.cohort_tables("labels"),
        splits=LAYOUT.splits(),
    output:
        pdf="<out>/figures/saliency.pdf",
        png="<out>/figures/saliency.png",
    log:
        "<logs>/figure_saliency.log",
    priority: 1
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_saliency"),
        arms=LAYOUT.factors(),
        tissues=lambda wildcards: tissues_of_view(),
        targets=TARGETS,
        view=pictured_view(),
        level=STUDY.levels[-1].name,
        figures=FIGURES,
    script:
        "../../scripts/figure_saliency.py"


rule figure_anatomy:
    """Draw saliency on cartilage against chance."""
    input:
        anatomy="<out>/anatomy/summary.parquet",
    output:
        pdf="<out>/figures/anatomy.pdf",
        png="<out>/figures/anatomy.png",
    log:
        "<logs>/figure_anatomy.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_anatomy"),
        confidence=STUDY.statistics.confidence,
        arms=LAYOUT.factors(),
        figures=FIGURES,
    script:
        "../../scripts/figure_anatomy.py"


rule figure_readers:
    """Draw arms and their differences against the noise of the labels they learn from."""
    input:
        readers="<out>/statistics/readers.parquet",
    output:
        pdf="<out>/figures/readers.pdf",
        png="<out>/figures/readers.png",
    log:
        "<logs>/figure_readers.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("figure_readers"),
        confidence=STUDY.statistics.confidence,
        arms=LAYOUT.factors(),
        figures=FIGURES,
    script:
        "../../scripts/figure_readers.py"
