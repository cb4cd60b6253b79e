"""
The report of a study: one self-contained page.

REQUIRED INPUTS: every figure (PNG) and table (CSV); the flow of cases; the runs' records
OUTPUTS: <out>/report.html
"""


include: "../inputs/report.smk"


rule report:
    """Write the report of the study."""
    input:
        figures=expand("<out>/figures/{name}.png", name=LAYOUT.figures()),
        tables=expand("<out>/tables/{name}.csv", name=LAYOUT.tables()),
        flows=expand("<out>/splits/{cohort}.flow.json", cohort=STUDY.cohorts),
        imported=LAYOUT.import_accounts(),
        runs=LAYOUT.runs("runs/{arm}/seed-{seed}/run.json"),
    output:
        report="<out>/report.html",
    log:
        "<logs>/report.log",
    conda:
        "../../envs/analysis.yaml"
    threads: STUDY.resources.analyse.threads
    resources:
        mem_mb=memory("analyse"),
        runtime=minutes("analyse"),
    params:
        code=code(
            "report",
            [
                definition
                for name in LAYOUT.tables()
                for definition in table_modules.definitions(name, table_modules.IN_REPORT)
            ],
            files=[Path(LIBRARY) / "kneeoa" / "report" / "templates" / "report.html.j2"],
        ),
        study=STUDY.study,
        title=STUDY.title,
        question=STUDY.question,
        arms=LAYOUT.arms_and_ensembles(),
        unanswered=LAYOUT.missing_counterparts(),
        levels=list(STUDY.level_names),
        labels=dict(STUDY.figures.labels),
        confidence=STUDY.statistics.confidence,
        digests=digests(),
        figures={name: words_of(FIGURES[name]) for name in LAYOUT.figures()},
        tables={name: words_of(TABLES[name]) for name in LAYOUT.tables()},
    script:
        "../../scripts/report.py"
