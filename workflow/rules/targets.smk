"""
Named targets for a part of the workflow, e.g. `snakemake figures`. No rule here has an output.
"""


include: "../inputs/copied.smk"


localrules:
    cohort,
    volumes,
    train,
    statistics,
    figures,
    tables,


rule cohort:
    """Target: tables of cases, labels and exclusions."""
    input:
        LAYOUT.cohort_tables("cases"),


rule volumes:
    """Target: canonical volumes, aligned masks, splits, quality control."""
    input:
        LAYOUT.quality(),
        [LAYOUT.shard_files("volumes", view, ".npy", LAYOUT.cohorts_with_view(view)) for view in STUDY.views],
        [LAYOUT.shard_files("masks", view, ".npy", LAYOUT.cohorts_with_masks(view)) for view in STUDY.views],
        expand("<out>/splits/{cohort}.flow.json", cohort=STUDY.cohorts),


rule train:
    """Target: every run's weights."""
    input:
        LAYOUT.runs("runs/{arm}/seed-{seed}/weights.safetensors"),


rule statistics:
    """Target: metrics and contrasts, from predictions alone."""
    input:
        rules.metrics.output,
        rules.contrasts.output if STUDY.statistics.contrasts else [],
        rules.subgroups.output if STUDY.statistics.subgroups else [],
        rules.external.output if LAYOUT.external_cohorts() else [],


rule figures:
    """Target: every figure, from finished predictions."""
    input:
        expand("<out>/figures/{name}.{suffix}", name=LAYOUT.figures(), suffix=["pdf", "png"]),


rule tables:
    """Target: every table."""
    input:
        expand("<out>/tables/{name}.{suffix}", name=LAYOUT.tables(), suffix=["csv", "tex"]),
