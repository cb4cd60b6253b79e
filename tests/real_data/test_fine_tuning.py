"""EfficientNet-Lite0 from ImageNet weights learns osteoarthritis on real radiographs, and more than
its frozen features hold.

The study ``workflow/studies/radiographs.yaml`` as configured, its dual arm with its three seeds;
every number is printed with its interval over subjects.
"""

import importlib.util
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from kneeoa.backbones.pretrained import LITE0_PACKAGE
from kneeoa.labels.level_labels import read_labels
from kneeoa.statistics.influence_functions import Estimate, PairedDifference
from kneeoa.statistics.ordinal import at_least, cut_auc, cut_auc_test
from tests.real_data.ordinal_regression import chosen
from tests.real_data.radiograph_study import prepare
from tests.unit.statistics.by_kernels import class_metric, class_metric_test

ROOT = os.environ.get("KNEEOA_REAL_DATA")
pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(ROOT is None, reason="KNEEOA_REAL_DATA is not set"),
    pytest.mark.skipif(importlib.util.find_spec(LITE0_PACKAGE) is None, reason=f"{LITE0_PACKAGE.replace('_', '-')} is not installed"),
]

ARM, THREADS = "lite0-dual", 2
CUT, GRADES = 2, 5
"""Osteoarthritis is KL 2 or more, of five grades."""
METRICS = ("auc", "kappa")
LEAST = {"auc": 0.85, "kappa": 0.70}
MORE_THAN_FROZEN = {"auc": 0.02, "kappa": 0.04}


@dataclass(frozen=True)
class Comparison:
    """The test cases' numbers: of the trained network (mean of seeds), of its frozen features, and
    their difference.
    """

    trained: dict[str, Estimate]
    frozen: dict[str, Estimate]
    difference: dict[str, PairedDifference]


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    begun = time.monotonic()
    made = prepare(tmp_path_factory.mktemp("radiographs"), Path(ROOT or ""))
    osteoarthritis, grades = [], []
    for seed in made.study.seeds:
        predictions = made.run(ARM, seed, THREADS)
        predictions = predictions[predictions["split"] == "test"].sort_values("case_id")
        heads = {level: predictions[(predictions["level"] == level) & (predictions["head"] == level)] for level in ("oa", "kl")}
        osteoarthritis.append(np.stack(heads["oa"]["probabilities"].to_list())[:, 1])
        grades.append(np.stack(heads["kl"]["probabilities"].to_list()).argmax(axis=1))
    minutes = (time.monotonic() - begun) / 60

    cases, features = made.frozen_features(ARM, THREADS)
    truth = read_labels([made.table("labels")], cases, made.study.levels)["kl"].values.astype(np.int64)
    split = cases["split"].to_numpy()
    chances, penalty = chosen(features, truth, split == "train", split == "val", GRADES)
    order = cases[split == "test"].sort_values("case_id").index.to_numpy()
    assert cases.loc[order, "case_id"].tolist() == heads["kl"]["case_id"].tolist()
    assert truth[order].tolist() == [int(value[0]) for value in heads["kl"]["truth"]]
    subjects, labels, plain = cases.loc[order, "subject"].to_numpy(), truth[order], chances[order]
    print(f"\n{len(labels)} test knees of {len(set(subjects))} people; {len(grades)} seeds in {minutes:.1f} minutes; penalty {penalty:g}")

    stack, classes = np.stack(osteoarthritis), np.stack(grades)
    score, grade = at_least(plain, CUT), plain.argmax(axis=1)
    result = Comparison(
        trained={
            "auc": cut_auc(labels, stack, CUT, subjects),
            "kappa": class_metric("quadratic_kappa", labels, classes, GRADES, subjects),
        },
        frozen={
            "auc": cut_auc(labels, score, CUT, subjects),
            "kappa": class_metric("quadratic_kappa", labels, grade, GRADES, subjects),
        },
        difference={
            "auc": cut_auc_test(labels, stack, score, CUT, subjects),
            "kappa": class_metric_test("quadratic_kappa", labels, classes, grade, GRADES, subjects),
        },
    )
    for metric in METRICS:
        trained, theirs, more = result.trained[metric], result.frozen[metric], result.difference[metric]
        for name, value, low, high in (
            ("trained", trained.estimate, trained.low, trained.high),
            ("frozen", theirs.estimate, theirs.low, theirs.high),
            ("difference", more.difference, more.low, more.high),
        ):
            print(f"{metric:6} {name:10} {value:6.3f} [{low:.3f}, {high:.3f}]")
    return result


@pytest.mark.parametrize("metric", METRICS)
def test_the_mean_of_the_seeds_is_good(comparison: Comparison, metric: str) -> None:
    assert comparison.trained[metric].estimate >= LEAST[metric]


@pytest.mark.parametrize("metric", METRICS)
def test_it_beats_ordinal_regression_on_the_same_networks_frozen_features(comparison: Comparison, metric: str) -> None:
    assert comparison.difference[metric].difference >= MORE_THAN_FROZEN[metric]
