"""
The paper's tables, each as CSV (every digit) and LaTeX (for print). No GPU. The module
kneeoa/paper_tables/{table}.py declares what a table is made from, and which studies have it.

REQUIRED INPUTS: the arms table; <out>/statistics, geometry, anatomy, splits' exclusions
OUTPUTS: <out>/tables/{table}.{csv,tex}
"""


rule table:
    """Write one table."""
    input:
        unpack(lambda wildcards: files_of(TABLES[wildcards.table])),
    output:
        csv="<out>/tables/{table}.csv",
        tex="<out>/tables/{table}.tex",
    log:
        "<logs>/table/{table}.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=lambda wildcards: code("table", table_modules.definitions(wildcards.table, table_modules.IN_FILES)),
        settings=lambda wildcards: settings_of(TABLES[wildcards.table]),
        labels=dict(STUDY.figures.labels),
    script:
        "../../scripts/table.py"
