"""Studies whose levels are all of one kind, or that compare nothing, run from predictions to their
report with every figure, table and paragraph that their levels allow.
"""

from pathlib import Path
from typing import Any

import pytest

from kneeoa.config.study import load
from kneeoa.layout import Layout
from tests.unit.finished_imports import Finished
from tests.unit.kinds_of_level import BINARY, FINDINGS, KINDS, NOMINAL, ORDINAL, study

OF_BINARY = ["roc", "reliability", "decision"]
BY_CLASS = ["roc_by_class", "reliability_by_class"]
COMPARED = ["forest", "claim"]
FIGURES = {
    "binary": OF_BINARY,
    "nominal": ["confusion", *BY_CLASS],
    "ordinal": ["confusion", *BY_CLASS],
    "multilabel": BY_CLASS,
    "binary and multilabel": [*OF_BINARY, *BY_CLASS],
}

EVERY_DAY = ("nominal", "multilabel")
"""Kinds that are run before each commit, as they share the fewest figures with other tests."""


def shown(finished: Finished) -> None:
    """Each figure is a picture of the report, and each table is there."""
    layout = finished.layout
    assert finished.report.count("data:image/png;base64,") == len(layout.figures())
    for name in layout.figures():
        assert finished.result(f"figures/{name}.pdf").stat().st_size > 1000
    for name in layout.tables():
        assert finished.result(f"tables/{name}.csv").read_text().count("\n") > 1, name


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind not in EVERY_DAY)) for kind in KINDS])
def test_a_study_of_one_kind_of_level_ends_with_what_its_levels_allow(kind: str, tmp_path: Path) -> None:
    finished = Finished(study(tmp_path, KINDS[kind], contrasts=False), tmp_path)
    assert finished.layout.figures() == FIGURES[kind]
    assert finished.layout.tables() == ["arms", "metrics"], "nothing is compared, so no table or figure of contrasts"
    shown(finished)
    assert "whose predictions were made elsewhere, there are 90 knees of 60 subjects" in finished.report
    assert "net0 Dual reached" in finished.report


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [{"backbones": 2}, *(pytest.param(more, marks=pytest.mark.long) for more in ({}, {"modes": 1}, {"absent": True}))],
    ids=["backbones", "compared", "one arm", "absent"],
)
@pytest.mark.parametrize("kind", list(KINDS))
def test_so_do_those_with_contrasts_several_backbones_one_arm_or_an_absent_class(kind: str, more: dict[str, Any], tmp_path: Path) -> None:
    finished = Finished(study(tmp_path, KINDS[kind], **more), tmp_path)
    compared = bool(finished.study.statistics.contrasts)
    assert finished.layout.figures() == FIGURES[kind] + (COMPARED if compared else [])
    assert ("contrasts" in finished.layout.tables()) == compared
    shown(finished)


@pytest.mark.slow
def test_a_study_that_compares_nothing_but_calibration_has_its_forest_plot(tmp_path: Path) -> None:
    config = study(tmp_path, [BINARY])
    config["statistics"]["contrasts"][0]["tests"] = {"calibration_slope": ["delta"], "calibration_in_the_large": ["delta"]}
    shown(Finished(config, tmp_path))


@pytest.mark.slow
def test_an_arm_of_each_level_alone_is_shown_where_it_speaks(tmp_path: Path) -> None:
    """No arm predicts all levels: each figure shows those that do."""
    config = study(tmp_path, [BINARY, NOMINAL, ORDINAL, FINDINGS], contrasts=False)
    dual, single = config["imports"]["arms"].values()
    dual["levels"] = {name: dual["levels"][name] for name in ("oa", "kl")}
    single["levels"] = {name: single["levels"][name] for name in ("joint", "signs")}
    finished = Finished(config, tmp_path)
    assert finished.layout.figures() == [*OF_BINARY, "confusion", *BY_CLASS]
    shown(finished)


def test_a_level_that_no_arm_predicts_is_drawn_nowhere(tmp_path: Path) -> None:
    config = study(tmp_path, [BINARY, FINDINGS], contrasts=False)
    for arm in config["imports"]["arms"].values():
        del arm["levels"]["oa"]
    assert Layout(load(config)).figures() == BY_CLASS
