from pathlib import Path

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.geometry import similarity_measures as module
from kneeoa.geometry.similarity import compare_runs
from kneeoa.geometry.similarity_measures import distance_influence, principal_coordinates, procrustes_distances, unbiased_cka
from kneeoa.tables.geometry import SIMILARITY
from kneeoa.tables.runs import embeddings
from tests.unit.geometry.planted import cases

SUBJECTS = np.repeat(np.arange(30), 2).astype(str)
GROUPS = np.array([0, 0, 0, 1, 1])


def hsic(x: np.ndarray, y: np.ndarray) -> float:
    """Song et al. 2012, equation 5, as written."""
    n = len(x)
    one, other = (values @ values.T * (1 - np.eye(n)) for values in (x, y))
    ones = np.ones(n)
    mixed = (ones @ one @ ones) * (ones @ other @ ones) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (ones @ one @ other @ ones)
    return float(np.trace(one @ other) + mixed) / (n * (n - 3))


@pytest.fixture(scope="module")
def runs() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(60, 3))
    return [shared @ rng.normal(size=(3, 8)) + rng.normal(size=(60, 8)) for _ in range(5)]


def test_cka_is_the_published_u_statistic_whatever_the_blocks(runs: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [[hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b)) for b in runs] for a in runs]
    whole = unbiased_cka(runs, GROUPS, SUBJECTS)
    np.testing.assert_allclose(whole.runs, expected, atol=1e-12)
    monkeypatch.setattr(module, "_CELLS", 5 * 60 * 7)  # several blocks, the last one short
    parts = unbiased_cka(runs, GROUPS, SUBJECTS)
    for name in ("runs", "means", "errors"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-12)
    monkeypatch.setattr(module, "_EXACT", 0)  # single precision
    np.testing.assert_allclose(unbiased_cka(runs, GROUPS, SUBJECTS).runs, expected, atol=2e-6)
    assert whole.means[0, 1] == pytest.approx(np.mean(np.array(expected)[:3, 3:]))
    assert whole.means[1, 1] == pytest.approx(expected[3][4])


def test_rotation_scale_and_place_do_not_matter(runs: list[np.ndarray]) -> None:
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))
    pair = [runs[0], 3 * runs[0] @ rotation + 5]
    assert unbiased_cka(pair, np.array([0, 1]), SUBJECTS).runs[0, 1] == pytest.approx(1)
    assert procrustes_distances([principal_coordinates(one) for one in pair])[0, 1] == pytest.approx(0, abs=1e-6)


def biased_cka(x: np.ndarray, y: np.ndarray) -> float:
    """The usual, biased linear CKA of ``[cases, width]`` and ``[cases, other width]``."""
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    cross, norm_x, norm_y = (float(np.linalg.norm(part) ** 2) for part in (a.T @ b, a.T @ a, b.T @ b))
    return cross / float(np.sqrt(norm_x * norm_y))


def test_biased_cka_of_wide_noise_is_inflated_and_the_unbiased_one_is_not() -> None:
    rng = np.random.default_rng(2)
    pairs = [[rng.normal(size=(50, 2000)) for _ in range(2)] for _ in range(5)]
    biased = [biased_cka(*pair) for pair in pairs]
    unbiased = [unbiased_cka(pair, np.array([0, 1]), np.arange(50).astype(str)).runs[0, 1] for pair in pairs]
    assert min(biased) > 0.95
    assert max(np.abs(unbiased)) < 0.05


def test_errors_are_those_of_leaving_subjects_out(runs: list[np.ndarray]) -> None:
    left_out, apart = [], []
    for name in np.unique(SUBJECTS):
        kept = name != SUBJECTS
        left_out.append(unbiased_cka([one[kept] for one in runs], GROUPS, SUBJECTS[kept]).means)
        apart.append(procrustes_distances([principal_coordinates(runs[index][kept]) for index in (0, 3)])[0, 1])
    jackknife = np.sqrt(29 * np.var(left_out, axis=0))
    np.testing.assert_allclose(unbiased_cka(runs, GROUPS, SUBJECTS).errors, jackknife, rtol=0.15)
    influences = distance_influence(principal_coordinates(runs[0]), principal_coordinates(runs[3]))
    assert influences.sum() == pytest.approx(0, abs=1e-9)
    error = np.sqrt((np.bincount(SUBJECTS.astype(int), weights=influences) ** 2).sum() * 30 / 29) / 60
    assert error == pytest.approx(np.sqrt(29 * np.var(apart)), rel=0.15)


def test_what_does_not_vary_is_undefined_and_few_cases_are_refused(runs: list[np.ndarray]) -> None:
    similarity = unbiased_cka([runs[0], np.full((60, 4), 0.3)], np.array([0, 1]), SUBJECTS)
    assert np.isnan(similarity.runs[0, 1])
    assert similarity.runs[0, 0] == 1
    assert np.isnan(procrustes_distances([principal_coordinates(runs[0]), principal_coordinates(np.full((60, 4), 0.3))])[0, 1])
    with pytest.raises(ValueError, match="needs 4 cases"):
        unbiased_cka([runs[0][:3]], np.array([0]), SUBJECTS[:3])


def test_the_table_has_every_pair_and_the_means(tmp_path: Path) -> None:
    frame, rng = cases(train=10, test=40), np.random.default_rng(0)
    arms = {f"{b}-{m}": {"backbone": b, "mode": m} for b in ("r", "n") for m in ("single", "dual")}
    paths = []
    for arm in arms:
        for seed in (1, 2):
            values = np.outer(frame["severity"], np.ones(6)) * 3 + rng.normal(size=(50, 6))
            table = frame[["cohort", "split", "case_id", "subject"]].assign(
                study="s", arm=arm, seed=seed, embedding=list(values.astype("f4"))
            )
            paths.append(tmp_path / f"{arm}-{seed}.parquet")
            embeddings(6).write(paths[-1], table.sample(frac=1, random_state=seed))
    compare_runs(paths[::-1], arms, "s", 0.95, tmp_path / "out.parquet")
    rows = SIMILARITY.read(tmp_path / "out.parquet")
    cka = rows[rows["measure"] == "cka"]
    assert cka["kind"].value_counts().to_dict() == {"runs": 36, "seeds": 4, "arms": 2}
    assert set(zip(cka[cka["kind"] == "arms"]["arm_b"], cka[cka["kind"] == "arms"]["arm_a"], strict=True)) == {
        ("r-single", "r-dual"), ("n-single", "n-dual"),
    }  # fmt: skip
    means = cka[cka["kind"] != "runs"]
    assert ((means["low"] < means["estimate"]) & (means["estimate"] < means["high"])).all()
    assert (means["subjects"] == frame.loc[frame["split"] == "test", "subject"].nunique()).all()
    with pytest.raises(KneeoaError, match="which the study does not have"):
        compare_runs(paths, {"other": {"backbone": "r", "mode": "x"}}, "s", 0.95, tmp_path / "x.parquet")
