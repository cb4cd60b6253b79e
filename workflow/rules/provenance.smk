"""
How every figure and table was made, as a Workflow Run RO-Crate. It is made on request: `snakemake
crate`.

REQUIRED INPUTS: figures, tables, the report; statistics, flows and the runs' records; Snakemake's
                 own records of jobs (undeclared)
OUTPUTS: <out>/crate.zip
"""


include: "../inputs/provenance.smk"


rule crate:
    """Write the study's crate: the workflow, its configuration, the results, and every job."""
    input:
        products=products(),
        details=details(),
    output:
        crate="<out>/crate.zip",
    log:
        "<logs>/crate.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code("crate"),
        study=STUDY.study,
        title=STUDY.title,
        question=STUDY.question,
        root=subpath(output.crate, parent=True),
        configuration=lambda wildcards: configuration(),
        sources=lambda wildcards: sources_digest(),
        snakemake=engine.__version__,
    script:
        "../../scripts/crate.py"
