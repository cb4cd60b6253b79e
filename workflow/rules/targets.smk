"""
Named targets: ask for a part of the road, e.g. `snakemake figures`. No rule here has an output.
"""


localrules:
    all,
    cohort,
    volumes,
    train,
    statistics,
    figures,
    tables,


rule all:
    default_target: True
    input:
        rules.report.output,
        all_figures(),
        all_tables(),


rule cohort:
    input:
        LAYOUT.cohort_tables("cases"),


rule volumes:
    input:
        [LAYOUT.shard_files("volumes", view, ".npy", LAYOUT.cohorts_with_view(view)) for view in STUDY.views],
        [LAYOUT.shard_files("masks", view, ".npy", LAYOUT.cohorts_with_masks(view)) for view in STUDY.views],
        expand("<out>/splits/{cohort}.flow.json", cohort=STUDY.cohorts),


rule train:
    input:
        LAYOUT.runs("runs/{arm}/seed-{seed}/weights.safetensors"),


rule statistics:
    input:
        rules.metrics.output,
        rules.contrasts.output,


rule figures:
    input:
        all_figures(),


rule tables:
    input:
        all_tables(),
