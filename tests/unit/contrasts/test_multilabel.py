"""Multilabel levels: each finding as a binary level, and the mean over findings, whose influences
of a case are added before they are squared.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from statsmodels.stats.multitest import multipletests

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Contrast, Family, Primary, Statistics
from kneeoa.contrasts.build import build_contrasts
from kneeoa.contrasts.claim_parts import prediction_changes
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.contrasts.subgroups import build_subgroups
from kneeoa.errors import KneeoaError
from kneeoa.statistics.delong import delong_test
from kneeoa.tables.statistics import CONTRASTS, METRICS, SUBGROUPS

NAMES = ("osteophytes", "narrowing", "cysts", "attrition")
LEVEL = Level(name="findings", kind="multilabel", classes=NAMES)
ARMS = {"n-a": {"backbone": "n", "mode": "a"}, "n-b": {"backbone": "n", "mode": "b"}}
TESTS = {"auc": ("delong", "bootstrap"), "average_precision": ("delta",), "brier": ("bootstrap",), "accuracy": ("mcnemar", "delta")}
CONTRAST = Contrast(name="a-b", level="findings", candidate="a", reference="b", tests=TESTS)


def predictions(arm: str, seed: int | None, n: int = 120, split: str = "test") -> pd.DataFrame:
    """Four findings of two knees a person: correlated, the second unread in every fifth knee, the
    last in nobody.
    """
    rng = np.random.default_rng(5)
    person = np.repeat(rng.normal(size=n // 2), 2)
    truth = (person[:, None] + rng.normal(size=(n, 4)) > [0.0, 0.4, 1.0, np.inf]).astype(int)
    skill = np.random.default_rng([ord(arm[-1]), seed or 0])
    shared = skill.normal(size=(n, 1))
    scores = truth * (1.6 if arm == "n-a" else 1.0) + shared + skill.normal(size=(n, 4))
    rows = []
    for i in range(n):
        labels = [int(value) for value in truth[i]]
        labels[1] = None if i % 5 == 0 else labels[1]
        rows.append(
            {
                "study": "s",
                "arm": arm,
                "seed": seed,
                "members": None,
                "cohort": "c",
                "split": split,
                "case_id": f"{split}-{i:03d}",
                "subject": f"p{i // 2:03d}",
                "side": "LR"[i % 2],
                "visit": "00m",
                "level": "findings",
                "head": "findings",
                "truth": labels,
                "logits": None,
                "probabilities": (1 / (1 + np.exp(-scores[i]))).tolist(),
                "label_source": "reader",
                "calibrated": False,
            }
        )
    return pd.DataFrame(rows)


def arrays(frame: pd.DataFrame, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Places, labels, probabilities and subjects of the cases in which a finding was read."""
    rows = np.array([place for place, labels in enumerate(frame.truth) if labels[number] is not None])
    truth = np.array([frame.truth.iloc[row][number] for row in rows])
    return rows, truth, np.array([frame.probabilities.iloc[row][number] for row in rows]), frame.subject.to_numpy(dtype=str)[rows]


def contrasts(tmp_path, save, frames, tests=TESTS, families=(), **options) -> pd.DataFrame:
    contrast = CONTRAST.model_copy(update={"tests": tests, **options.pop("contrast", {})})
    statistics = Statistics(resamples=400, contrasts=(contrast,), families=families, **options)
    build_contrasts(save(*frames), ARMS, (LEVEL,), statistics, tmp_path / "c.parquet")
    return CONTRASTS.read(tmp_path / "c.parquet").set_index(["metric", "test"])


def test_findings_are_measured_one_by_one_and_in_the_mean(tmp_path, save) -> None:
    frame = predictions("n-a", 1)
    build_metrics(save(frame), (LEVEL,), Statistics(resamples=50), tmp_path / "m.parquet")
    rows = METRICS.read(tmp_path / "m.parquet")
    rows = rows[rows.seed.isna()].set_index("metric")
    for metric, reference in (("auc", roc_auc_score), ("average_precision", average_precision_score)):
        expected = []
        for number, name in enumerate(NAMES[:3]):
            _, truth, scores, _ = arrays(frame, number)
            expected.append(reference(truth, scores))
            assert rows.estimate[f"{metric}[{name}]"] == pytest.approx(expected[-1])
        assert rows.estimate[metric] == pytest.approx(np.mean(expected))
        assert rows.low[metric] < rows.estimate[metric] < rows.high[metric]
        assert rows.note[metric].startswith("mean over 3 of 4 findings, without attrition, undefined")
    assert pd.isna(rows.estimate["auc[attrition]"])
    assert rows.note["auc[attrition]"].startswith("no case of class attrition: undefined")
    assert rows.note["sensitivity[attrition]"] == "undefined: no case is positive"
    assert rows.cases["auc[narrowing]"] == 96
    assert rows.cases["auc"] == rows.cases["auc[cysts]"] == 120
    assert rows.subjects["auc"] == 60


def test_each_finding_has_delongs_test_and_the_mean_the_variance_of_a_jackknife(tmp_path, save) -> None:
    first, second = predictions("n-a", 1), predictions("n-b", 1)
    rows = contrasts(tmp_path, save, [first, second])
    for number, name in enumerate(NAMES[:3]):
        _, truth, a, subjects = arrays(first, number)
        expected = delong_test(truth, a, arrays(second, number)[2], subjects)
        row = rows.loc[f"auc[{name}]", "delong"]
        assert (row.difference, row.standard_error**2) == pytest.approx((expected.difference, expected.variance))
        if "few subjects" not in row.note:
            assert (row.p, row.low) == pytest.approx((expected.p, expected.low))
    row = rows.loc["auc", "delong"]
    parts = [rows.loc[f"auc[{name}]", "delong"] for name in NAMES[:3]]
    assert row.difference == pytest.approx(np.mean([part.difference for part in parts]))
    assert row.estimate_candidate == pytest.approx(np.mean([part.estimate_candidate for part in parts]))
    jackknifed = jackknife(first, second, lambda t, s: np.mean(s[t == 1][:, None] > s[t == 0]))
    assert row.standard_error == pytest.approx(jackknifed, rel=0.04)
    apart = np.sqrt(sum(part.standard_error**2 for part in parts)) / 3  # as if findings were independent
    assert row.standard_error > 1.1 * apart
    precision = rows.loc["average_precision", "delta"]
    assert precision.standard_error == pytest.approx(jackknife(first, second, average_precision_score), rel=0.08)
    assert pd.isna(rows.loc["auc[attrition]", "delong"].p)
    assert "no case of class attrition: undefined" in rows.loc["auc[attrition]", "delong"].note


def jackknife(first: pd.DataFrame, second: pd.DataFrame, metric) -> float:
    """The standard error of the mean difference over three findings, one person out."""
    people, values = first.subject.unique(), []
    parts = [(*arrays(first, number)[1:], arrays(second, number)[2]) for number in range(3)]
    for person in people:
        kept = [(truth[who != person], a[who != person], b[who != person]) for truth, a, who, b in parts]
        values.append(np.mean([metric(truth, a) - metric(truth, b) for truth, a, b in kept]))
    count = len(people)
    return float(np.sqrt((count - 1) / count * np.sum((np.array(values) - np.mean(values)) ** 2)))


def test_the_bootstrap_draws_people_with_all_their_findings(tmp_path, save) -> None:
    first, second = predictions("n-a", 1), predictions("n-b", 1)
    rows = contrasts(tmp_path, save, [first, second]).loc["brier", "bootstrap"]
    people = np.unique(first.subject.to_numpy(dtype=str))
    places = {person: np.flatnonzero(first.subject == person) for person in people}
    drawn = np.random.default_rng(42).integers(0, len(people), size=(400, len(people)))  # as the library draws them
    a, b = ([errors(frame, number) for number in range(4)] for frame in (first, second))
    gaps = []
    for row in drawn:
        cases = np.concatenate([places[people[person]] for person in row])
        means = [np.mean([np.nanmean(of_finding[cases]) for of_finding in arm]) for arm in (a, b)]
        gaps.append(means[0] - means[1])
    assert (rows.low, rows.high) == pytest.approx(tuple(np.quantile(gaps, [0.025, 0.975])))
    assert "mean over 4 of 4 findings" in rows.note


def errors(frame: pd.DataFrame, number: int) -> np.ndarray:
    """Squared error of every case, NaN where the finding was not read."""
    rows, truth, scores, _ = arrays(frame, number)
    influence = np.full(len(frame), np.nan)
    influence[rows] = (truth - scores) ** 2
    return influence


def test_mcnemar_is_of_a_finding_and_swapping_the_arms_turns_the_sign(tmp_path, save) -> None:
    frames = [predictions("n-a", 1), predictions("n-b", 1)]
    rows = contrasts(tmp_path, save, frames)
    assert pd.notna(rows.loc["accuracy[cysts]", "mcnemar"].p)
    assert pd.isna(rows.loc["accuracy", "mcnemar"].p)
    assert "McNemar's test is of one finding" in rows.loc["accuracy", "mcnemar"].note
    swapped = contrasts(tmp_path, save, frames, contrast={"candidate": "b", "reference": "a"})
    for key in (("auc", "delong"), ("average_precision", "delta"), ("auc[cysts]", "delong")):
        assert rows.loc[key].difference == pytest.approx(-swapped.loc[key].difference)
        assert rows.loc[key].p == pytest.approx(swapped.loc[key].p)


def test_equal_arms_differ_in_nothing(tmp_path, save) -> None:
    first = predictions("n-a", 1)
    rows = contrasts(tmp_path, save, [first, first.assign(arm="n-b")])
    assert (rows.loc["auc", "delong"].p, rows.loc["auc", "delong"].difference) == (1.0, 0.0)
    assert rows.loc["auc", "delong"].degenerate
    assert (rows.loc["average_precision", "delta"].p, rows.loc["brier", "bootstrap"].p) == (1.0, 1.0)


def test_a_family_over_findings_leaves_the_mean_to_the_primary(tmp_path, save) -> None:
    family = Family(name="findings", adjust="holm", tests=("delong",))
    frames = [predictions("n-a", 1), predictions("n-b", 1)]
    rows = contrasts(tmp_path, save, frames, {"auc": ("delong",)}, (family,), primary=Primary(contrast="a-b", metric="auc"))
    assert rows.loc["auc", "delong"].family == "primary"
    members = [rows.loc[f"auc[{name}]", "delong"] for name in NAMES]
    assert {row.family for row in members} == {"findings"}
    assert {row.m for row in members} == {3}
    expected = multipletests([row.p for row in members[:3]], method="holm")[1]
    assert [row.p_adjusted for row in members[:3]] == pytest.approx(list(expected))


def test_three_seeds_have_a_row_over_random_seeds_and_margins(tmp_path, save) -> None:
    frames = [predictions(arm, seed) for arm in ("n-a", "n-b") for seed in (1, 2, 3)]
    rows = contrasts(tmp_path, save, frames, {"auc": ("delong",)}, contrast={"margin": 0.05})
    for name in ("auc", "auc[cysts]"):
        row = rows.loc[name, "seeds"]
        assert row.low < row.difference < row.high
        assert pd.notna(rows.loc[name, "non_inferiority"].p)
    assert rows.loc["auc", "seeds"].note.startswith("mean over 3 of 4 findings")


def test_thresholds_are_fitted_for_each_finding(tmp_path, save) -> None:
    frames = [predictions("n-a", 1), predictions("n-a", 1, split="val")]
    statistics = Statistics(resamples=20, threshold={"rule": "youden"})
    build_metrics(save(*frames), (LEVEL,), statistics, tmp_path / "m.parquet")
    rows = METRICS.read(tmp_path / "m.parquet")
    rows = rows[(rows.split == "test") & rows.seed.isna()].set_index("metric")
    chosen = [rows.estimate[f"threshold[{name}]"] for name in NAMES[:3]]
    assert all(first != second for first, second in pairwise(chosen))
    assert "no validation cases of both classes" in rows.note["threshold[attrition]"]


def test_subgroups_compare_the_mean_over_findings(tmp_path, save) -> None:
    frames = [predictions("n-a", 1), predictions("n-b", 1)]
    statistics = Statistics(resamples=20, contrasts=(CONTRAST,), subgroups={"side": "all"})
    build_subgroups(save(*frames), [], ARMS, (LEVEL,), statistics, tmp_path / "s.parquet")
    rows = SUBGROUPS.read(tmp_path / "s.parquet").set_index("group")
    assert list(rows.metric.unique()) == ["auc"]
    left = [frame[frame.side == "L"] for frame in frames]
    gaps = []
    for number in range(3):
        (_, truth, a, _), (_, _, b, _) = (arrays(frame, number) for frame in left)
        gaps.append(roc_auc_score(truth, a) - roc_auc_score(truth, b))
    assert rows.difference["L"] == pytest.approx(np.mean(gaps))
    assert pd.notna(rows.p["interaction"])


def test_entries_that_do_not_fit_the_findings_are_refused(tmp_path, save) -> None:
    short = predictions("n-a", 1)
    short.at[3, "truth"] = [1, 0]
    with pytest.raises(KneeoaError, match="truth of case 'test-003' does not have 4 entries, one for each finding"):
        build_metrics(save(short), (LEVEL,), Statistics(resamples=20), tmp_path / "m.parquet")


def test_arms_must_have_read_the_same_findings(tmp_path, save) -> None:
    first, second = predictions("n-a", 1), predictions("n-b", 1)
    second.at[2, "truth"] = [1, None, 0, 0]
    with pytest.raises(KneeoaError, match="disagree on the label or subject of 1 cases"):
        contrasts(tmp_path, save, [first, second])


def test_the_claim_has_the_mean_over_findings() -> None:
    frame = pd.concat([predictions(arm, seed) for arm in ("n-a", "n-b") for seed in (1, 2)])
    [change] = prediction_changes(frame, "n-a", "n-b", "c", (LEVEL,))
    assert (change.measure, change.seeds) == ("auc", [1, 2])
    assert change.note == "mean over 3 of 4 findings, without attrition, undefined"
    people = sorted(set(change.subjects))
    weights = np.stack([np.ones(len(people)), 1.0 + (np.arange(len(people)) % 2)])
    candidate = change.runs[2][0](change.case_weights(weights, people))[:, None]
    rows = frame[(frame.arm == "n-a") & (frame.seed == 2)].reset_index(drop=True)
    for row, of_person in enumerate(weights):
        expected = []
        for number in range(3):
            _, truth, scores, who = arrays(rows, number)
            expected.append(roc_auc_score(truth, scores, sample_weight=of_person[np.searchsorted(people, who)]))
        assert candidate[row, 0] == pytest.approx(np.mean(expected))
