"""The digest of a rule's code covers what the rule's jobs do: each function of the library that a
job of the small study called is one that the digest reaches.
"""

from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from kneeoa import figures_and_tables
from kneeoa.backbones import registry as backbones
from kneeoa.cohorts.registry import code_module
from kneeoa.config.study import load
from kneeoa.figures import registry as figures
from kneeoa.heads import registry as modes
from kneeoa.paper_tables import registry as tables
from kneeoa.reruns import code_digest
from kneeoa.saliency.methods import registry as methods
from tests.dag import ROOT

NETWORKS = {"train_run", "predict", "saliency", "deletion", "embed_untrained"}
"""Scripts that open a network: their rules name its backbone, mode, losses and method."""


@pytest.fixture(scope="module")
def called(finished: Path) -> dict[str, set[str]]:
    """Definitions of the library whose code ran, by script (tests/rerun/traced/)."""
    jobs: dict[str, set[str]] = defaultdict(set)
    for file in (finished / "called").glob("*.txt"):
        script, *names = file.read_text().split()
        jobs[script] |= set(names)
    return jobs


def members(script: str) -> list[str]:
    """Members of registries that the rules of a script name, for the runs and cohorts of the small
    study and for all figures and tables.
    """
    study = load(yaml.safe_load((ROOT / "tests" / "small.yaml").read_text()))
    if script == "read_cohort":
        return [code_module(cohort.reader) for cohort in study.cohorts.values()]
    if script == "figure":
        return [f"{figures.code_module(name)}:draw" for name in figures_and_tables.figures()]
    if script == "table":
        return [each for name in figures_and_tables.tables() for each in tables.definitions(name, tables.IN_FILES)]
    if script == "report":
        return [each for name in figures_and_tables.tables() for each in tables.definitions(name, tables.IN_REPORT)]
    if script not in NETWORKS:
        return []
    kinds = [module for backbone in study.backbones.values() for module in backbones.code_modules(backbone.kind)]
    heads = [module for mode in study.modes.values() for module in modes.code_modules(mode.kind, modes.losses(mode, study.levels).values())]
    return kinds + heads + [module for method in study.saliency.methods for module in methods.code_modules(method)]


def test_every_function_that_a_job_called_is_one_that_its_digest_reaches(called: dict[str, set[str]]) -> None:
    library, missed = code_digest.Library(), {}
    for script, names in called.items():
        reached = library.reach(ROOT / "scripts" / f"{script}.py", members(script))
        missed[script] = {name for name in names if name not in reached.parts and name.split(":")[0] not in code_digest.WORDS_ONLY}
    assert {script: names for script, names in missed.items() if names} == {}


def test_the_calls_of_every_script_of_the_study_were_noted(called: dict[str, set[str]]) -> None:
    """Else the test above would pass for want of anything to look at."""
    assert {"train_run", "predict", "metrics", "contrasts", "make_volumes", "geometry", "report"} <= called.keys()
    assert {"kneeoa.training.run:train", "kneeoa.training.loop:steps"} <= called["train_run"]
    assert all(len(names) >= 5 for names in called.values())
