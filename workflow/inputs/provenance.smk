"""Input functions and params of the rules of provenance."""

import snakemake as engine

from kneeoa.atomic_io import sha256_file
from kneeoa.provenance.contents import HOME, source_files


def products():
    """The final results: figures, tables and the report."""
    figures = expand("<out>/figures/{name}.{suffix}", name=LAYOUT.figures(), suffix=["pdf", "png"])
    return [
        *figures,
        *expand("<out>/tables/{name}.{suffix}", name=LAYOUT.tables(), suffix=["csv", "tex"]),
        "<out>/report.html",
    ]


def details():
    """Small intermediate files: the statistics, the flow of cases, and the runs' records."""
    statistics = ["metrics", "contrasts"] + (["claim"] if STUDY.statistics.contrasts else [])
    flows = expand("<out>/splits/{cohort}.flow.json", cohort=STUDY.cohorts)
    runs = LAYOUT.runs("runs/{arm}/seed-{seed}/run.json") + LAYOUT.runs("runs/{arm}/seed-{seed}/model.json")
    return [*expand("<out>/statistics/{name}.parquet", name=statistics), *flows, *runs]


def sources_digest():
    """Digest of the workflow's files: the crate is made again even where only a comment changed."""
    return digest({str(path): sha256_file(HOME / path) for path in source_files(HOME)})


def configuration():
    """The whole configuration, which only this rule depends on."""
    return plain(STUDY)
