"""Families adjusted by how their tests move together: influences by subject, their correlation, and
adjusted p from predictions.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneeoa.config.study import load
from kneeoa.contrasts.build import build_contrasts
from kneeoa.contrasts.families import correlation_of
from kneeoa.inference.import_predictions import import_predictions
from kneeoa.layout import Layout
from kneeoa.tables.statistics import CONTRASTS
from tests.unit.kinds_of_level import BINARY, study


def test_correlations_are_over_shared_subjects_and_none_is_where_nothing_is_known() -> None:
    first = {("a", "x"): 1.0, ("a", "y"): -1.0}
    second = {("a", "x"): 2.0, ("a", "y"): 0.0, ("a", "z"): -2.0}
    elsewhere = {("b", "x"): 1.0, ("b", "y"): -1.0}  # another cohort's subjects of the same names
    correlation = correlation_of([first, second, None, elsewhere, {}, first])
    assert correlation[0, 1] == pytest.approx(2 / np.sqrt(2 * 8))
    assert correlation[0, 5] == pytest.approx(1)
    assert np.diag(correlation).tolist() == [1.0] * 6
    assert not correlation[2, [0, 1, 3, 4, 5]].any()
    assert not correlation[3, [0, 1, 2, 4, 5]].any()
    assert np.linalg.eigvalsh(correlation).min() > -1e-12


def contrasts(folder: Path, adjust: str) -> pd.DataFrame:
    config = study(folder, [BINARY], backbones=2)
    tests = {"auc": ["delong"], "brier": ["delta"], "accuracy": ["mcnemar"], "sensitivity": ["delta"]}
    config["statistics"]["contrasts"][0]["tests"] = tests
    config["statistics"]["families"] = [{"name": "all", "adjust": adjust, "tests": ["delong", "delta", "mcnemar"]}]
    loaded = load(config)
    assert loaded.imports is not None
    files = []
    for arm in loaded.imports.arms:
        files.append(folder / f"{arm}.parquet")
        import_predictions(loaded.imports, arm, loaded.levels, "s", folder, files[-1])
    build_contrasts(files, Layout(loaded).arms_and_ensembles(), loaded.levels, loaded.statistics, folder / f"{adjust}.parquet")
    return CONTRASTS.read(folder / f"{adjust}.parquet")


def test_a_family_by_max_t_gains_on_holm_and_counts_the_same_tests(tmp_path: Path) -> None:
    joint, holm = contrasts(tmp_path, "max_t"), contrasts(tmp_path, "holm")
    assert set(joint.adjustment) == {"max_t"}
    assert joint.m.tolist() == holm.m.tolist() == [8] * 8
    assert joint.p.tolist() == holm.p.tolist()
    assert (joint.p_adjusted >= joint.p).all()
    assert (joint.p_adjusted <= holm.p_adjusted * 1.01).all()
    some = (holm.p_adjusted < 1) & (joint.p > joint.p.min())
    assert (joint.p_adjusted[some] < 0.98 * holm.p_adjusted[some]).any(), "tests on the same knees move together"
