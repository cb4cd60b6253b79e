from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kneeoa.config.hierarchy import Level
from kneeoa.training.loop import auc, validation_metric


def level(kind: str) -> Level:
    return Level(name="level", kind=kind, classes=("a", "b"))


def test_auc_is_sklearns_with_ties():
    draws = np.random.default_rng(0)
    scores, positive = draws.integers(0, 10, 200) / 10, draws.random(200) < 0.3
    assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def test_auc_of_one_class_is_undefined():
    assert auc(np.array([0.1, 0.2]), np.array([True, True])) is None
    assert validation_metric(level("binary"), np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, -1])) is None


def test_missing_labels_do_not_count():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
    assert validation_metric(level("binary"), probabilities, np.array([0, 1, -1, 0])) == ("auc", 0.5)
    assert validation_metric(level("ordinal"), probabilities, np.array([0, 0, -1, 1])) == ("accuracy", pytest.approx(2 / 3))
    assert validation_metric(level("multiclass"), probabilities, np.full(4, -1)) is None


def test_multilabel_counts_findings():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert validation_metric(level("multilabel"), probabilities, np.array([[1, 1], [-1, 1]])) == ("accuracy", pytest.approx(2 / 3))
