"""Permuted labels: the same counts, never one's own, nothing to learn, whatever the order of the
cases.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from kneeoa.config.raters import NoisyRater
from kneeoa.labels.level_labels import read_labels
from kneeoa.labels.permutation import permute_between_subjects
from kneeoa.labels.rater_labels import rate_labels
from kneeoa.tables.cohort import LABELS, SPLITS
from tests.unit.labels.test_rater_labels import cohort
from tests.unit.training.tiny_study import KL, LEVELS

PEOPLE = [f"{number:04d}" for number in range(300)]
SUBJECTS = [person for number, person in enumerate(PEOPLE) for _ in range(1 + number % 3 % 2)]  # two thirds have one knee
CASES = [f"{subject}-{place}" for place, subject in enumerate(SUBJECTS)]
COHORTS = ["c"] * len(CASES)
OWNERS = np.arange(len(CASES))
"""Labels that say whose they were."""


def dealt(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    return permute_between_subjects(labels, COHORTS, SUBJECTS, CASES, seed)


def test_every_label_is_dealt_once_and_never_to_its_own_subject() -> None:
    labels = dealt(OWNERS)
    assert sorted(labels) == OWNERS.tolist()
    assert all(SUBJECTS[case] != SUBJECTS[owner] for case, owner in enumerate(labels))


def test_knees_of_one_subject_mostly_stay_together() -> None:
    labels = dealt(OWNERS)
    together = [
        SUBJECTS[labels[case]] == SUBJECTS[labels[case + 1]] for case in range(len(CASES) - 1) if SUBJECTS[case] == SUBJECTS[case + 1]
    ]
    # Half of the pairs meet another pair at the same place, or their labels come from two subjects.
    assert np.mean(together) > 0.3 > 10 / len(PEOPLE)


def test_nothing_is_left_to_learn_and_seeds_differ() -> None:
    grades = OWNERS % 5
    correlations = [spearmanr(grades, dealt(grades, seed)).statistic for seed in range(40)]
    assert abs(np.mean(correlations)) < 0.02
    assert 0.5 < np.std(correlations) * np.sqrt(len(CASES)) < 1.5
    assert (dealt(OWNERS, 0) != dealt(OWNERS, 1)).mean() > 0.9


def test_the_order_of_the_cases_does_not_matter() -> None:
    order = np.random.default_rng(1).permutation(len(CASES))
    shuffled = permute_between_subjects(OWNERS[order], COHORTS, [SUBJECTS[case] for case in order], [CASES[case] for case in order], 0)
    assert (shuffled == dealt(OWNERS)[order]).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_cases(count: int) -> None:
    labels = permute_between_subjects(OWNERS[:count], COHORTS[:count], [*"ab"][:count], CASES[:count], 0)
    assert labels.tolist() == [[], [0], [1, 0]][count]


def test_a_permuting_rater_deals_within_each_split_and_leaves_the_test_cases(tmp_path: Path) -> None:
    labels, splits = cohort(tmp_path)
    out = tmp_path / "r.parquet", tmp_path / "r.json"
    rate_labels(
        rater="shuffled", level="kl", confusion=NoisyRater(permute=True).matrix(5), seed=0, levels=LEVELS,
        labels=labels, splits=splits, out_labels=out[0], out_agreement=out[1],
    )  # fmt: skip
    cases = SPLITS.read(splits)
    reference, result = ({name: each.values for name, each in read_labels([path], cases, LEVELS).items()} for path in (labels, out[0]))
    account = json.loads(out[1].read_text())
    assert (account["permuted"], account["confusion"]) == (True, None)
    for split in ("train", "val"):
        chosen = (cases["split"] == split).to_numpy()
        assert np.bincount(result["kl"][chosen]).tolist() == np.bincount(reference["kl"][chosen]).tolist()
        assert abs(spearmanr(result["kl"][chosen], reference["kl"][chosen]).statistic) < 0.25
        assert (result["oa"][chosen] == np.array(KL.parent_class)[result["kl"][chosen]]).all()
        assert 0.6 < account["agreement"]["kl"][split]["misread"] < 0.95
    test = (cases["split"] == "test").to_numpy()
    assert (result["kl"][test] == reference["kl"][test]).all()
    assert set(LABELS.read(out[0]).query("source == 'shuffled'")["case_id"]) == set(cases.loc[~test, "case_id"])
