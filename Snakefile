"""kneeoa: from raw knee images to the paper's figures. The DAG on one screen.

`snakemake --cores all` runs the study of config.yaml; `--configfile workflow/studies/<study>.yaml`
runs another one instead.
"""

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.27")

# The library beside this Snakefile comes first for this process and for every job, so that a second
# clone never imports the first one's code.
LIBRARY = str(Path(workflow.basedir) / "workflow" / "lib")
sys.path.insert(0, LIBRARY)


# A study's configuration is whole: another one replaces config.yaml, it is not merged into it.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


include: "workflow/inputs/study.smk"


pathvars:
    out=LAYOUT.root,
    logs=f"{LAYOUT.root}/logs",
    benchmarks=f"{LAYOUT.root}/benchmarks",


wildcard_constraints:
    cohort=one_of(STUDY.cohorts),
    view=one_of(STUDY.views),
    grid=one_of(STUDY.grids),
    stage=one_of(["volumes", "masks", *(f"inputs/{grid}" for grid in STUDY.grids)]),
    arm=one_of(LAYOUT.factors()),
    ensemble=one_of(STUDY.ensembles),
    seed=one_of(STUDY.seeds),
    rater=one_of(STUDY.raters),
    shard=r"\d+",
    figure=one_of(LAYOUT.figures()),
    table=one_of(LAYOUT.tables()),


localrules:
    all,


# First, hence the default target.
rule all:
    """Target: figures, tables, the report, the pages of quality control, and what the parts of
    plug-ins predict.
    """
    input:
        "<out>/report.html",
        LAYOUT.quality(),
        LAYOUT.parts(),
        expand("<out>/figures/{name}.{suffix}", name=LAYOUT.figures(), suffix=["pdf", "png"]),
        expand("<out>/tables/{name}.{suffix}", name=LAYOUT.tables(), suffix=["csv", "tex"]),


include: "workflow/rules/phantom.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/volumes.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/raters.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/geometry.smk"
include: "workflow/rules/anatomy.smk"
include: "workflow/rules/plugins.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/start.smk"
