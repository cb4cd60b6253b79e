"""What the rules of provenance take: input functions and params."""

import snakemake as engine

from kneeoa.files import sha256_file
from kneeoa.provenance.contents import HOME, sources


def products():
    """What a reader of the paper sees."""
    figures = expand("<out>/figures/{name}.{suffix}", name=LAYOUT.figures(), suffix=["pdf", "png"])
    return [
        *figures,
        *expand("<out>/tables/{name}.{suffix}", name=LAYOUT.tables(), suffix=["csv", "tex"]),
        "<out>/report.html",
    ]


def details():
    """Small files between: the statistics, the flow of cases, and what the runs wrote down of
    themselves.
    """
    statistics = ["metrics", "contrasts"] + (["claim"] if STUDY.statistics.contrasts else [])
    flows = expand("<out>/splits/{cohort}.flow.json", cohort=STUDY.cohorts)
    runs = LAYOUT.runs("runs/{arm}/seed-{seed}/run.json") + LAYOUT.runs("runs/{arm}/seed-{seed}/model.json")
    return [*expand("<out>/statistics/{name}.parquet", name=statistics), *flows, *runs]


def sources_digest():
    """What the crate's copy of the workflow is: it is made again where a comment has changed,
    too.
    """
    return digest({str(path): sha256_file(HOME / path) for path in sources(HOME)})


def configuration():
    """All of the configuration: this rule alone tells of all."""
    return plain(STUDY)
