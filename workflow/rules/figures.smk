"""
Figures, each as PDF and PNG: from tables alone, except for the pictures of volumes and saliency. No
GPU. The module kneeoa/figures/{figure}.py declares what a figure is made from, and which studies
have it.

REQUIRED INPUTS: <out>/statistics, geometry, anatomy, predictions, runs' histories; volumes, masks
                 and maps for the pictures
OUTPUTS: <out>/figures/{figure}.{pdf,png}

The slowest to draw have priority: if they were begun last, one core would be busy while the others
have nothing left to do.
"""


include: "../inputs/figures.smk"


rule figure:
    """Draw one figure."""
    input:
        unpack(lambda wildcards: files_of(FIGURES[wildcards.figure])),
    output:
        pdf="<out>/figures/{figure}.pdf",
        png="<out>/figures/{figure}.png",
    log:
        "<logs>/figure/{figure}.log",
    priority: lambda wildcards: int(FIGURES[wildcards.figure].slow)
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=lambda wildcards: code("figure", [f"{figure_modules.code_module(wildcards.figure)}:draw"]),
        settings=lambda wildcards: settings_of(FIGURES[wildcards.figure]),
        look=plain(STUDY.figures),
    script:
        "../../scripts/figure.py"
