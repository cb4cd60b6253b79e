"""Every mode learns where learning is hard; from labels that belong to other people, nothing does
(tests/hard.yaml).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from kneeoa.layout import Layout
from kneeoa.tables.geometry import GEOMETRY
from kneeoa.tables.statistics import METRICS
from tests.training import hard_study

pytestmark = pytest.mark.slow

TRUE = ("resnet3d-single-oa", "resnet3d-single-kl", "resnet3d-dual")
FIRST = "resnet3d-dual-shuffled"
SHUFFLED = (FIRST, *(f"{FIRST}{number}" for number in range(1, 6)))
AXIS = "pc1"


def over_permutations(estimates: pd.Series) -> tuple[float, float]:
    """The 95 % t interval of the mean over permutations of the labels: they, not the test cases,
    are what chance is about here.
    """
    half = stats.t.ppf(0.975, len(estimates) - 1) * stats.sem(estimates)
    print(f"{len(estimates)} permutations: {estimates.mean():.3f} [{estimates.mean() - half:.3f}, {estimates.mean() + half:.3f}]")
    return estimates.mean() - half, estimates.mean() + half


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """The study, run to its metrics and geometry, in a folder that is worked in meanwhile."""
    files = hard_study.layout()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("hard"))
        hard_study.make_images(files)
        for arm in files.study.arms_table():
            for seed in files.study.seeds:
                hard_study.run_arm(files, arm.name, seed)
        yield files


@pytest.fixture(scope="module")
def areas(finished: Layout) -> pd.DataFrame:
    """OA AUC of every arm, seed and head on test cases; printed, so that a failure shows all of
    them.
    """
    table = METRICS.read(hard_study.metrics(finished))
    chosen = (table["metric"] == "auc") & (table["level"] == "oa") & (table["split"] == "test") & table["seed"].notna()
    rows = table[chosen].set_index("arm")
    print("\n" + rows[["seed", "head", "estimate", "low", "high", "cases"]].to_string())
    return rows


@pytest.fixture(scope="module")
def orders(finished: Layout) -> pd.DataFrame:
    """Spearman's correlation of the place on the axis with the grade, test cases, by arm and
    seed.
    """
    table = GEOMETRY.concat([Path(path) for path in finished.runs("geometry/{arm}/seed-{seed}.measures.parquet")])
    chosen = (table["axis"] == AXIS) & (table["measure"] == "spearman") & (table["against"] == "kl") & (table["split"] == "test")
    rows = table[chosen].set_index("arm")
    print("\n" + rows[["seed", "estimate", "low", "high", "cases"]].to_string())
    return rows


def test_the_study_is_hard_and_has_enough_cases_to_tell(areas: pd.DataFrame) -> None:
    assert set(areas.index) == {*TRUE, *SHUFFLED}
    assert areas["cases"].min() >= 100
    assert areas["estimate"].max() < 0.9


@pytest.mark.parametrize("arm", TRUE)
def test_every_arm_on_true_labels_learns(areas: pd.DataFrame, arm: str) -> None:
    assert len(areas.loc[[arm]]) == {"resnet3d-dual": 2}.get(arm, 1)  # a dual arm speaks of OA by both heads
    assert (areas.loc[[arm], "low"] > 0.5).all()


def test_the_arm_on_shuffled_labels_stays_at_chance(areas: pd.DataFrame) -> None:
    shuffled = areas.loc[[FIRST]]
    assert (shuffled["low"] < 0.5).all()
    assert (shuffled["high"] > 0.5).all()


@pytest.mark.parametrize("head", ["oa", "kl"])
def test_arms_on_shuffled_labels_stay_at_chance(areas: pd.DataFrame, head: str) -> None:
    shuffled = areas.loc[[*SHUFFLED]]
    low, high = over_permutations(shuffled.loc[shuffled["head"] == head, "estimate"])
    assert low < 0.5 < high < areas.loc[[*TRUE], "estimate"].min()


def test_axes_of_true_labels_order_grades_and_those_of_shuffled_labels_do_not(orders: pd.DataFrame) -> None:
    assert (orders.loc[[*TRUE], "low"] > 0).all()
    low, high = over_permutations(orders.loc[[*SHUFFLED], "estimate"])
    assert low < 0 < high < orders.loc[[*TRUE], "estimate"].min()


@pytest.mark.parametrize("shuffled", SHUFFLED)
def test_a_shuffled_arm_had_as_much_to_learn_from_and_learnt_it_by_heart(finished: Layout, shuffled: str) -> None:
    """Its inability is of the labels: the same cases and grades in all, and a loss that falls as
    far as labels without meaning allow.
    """
    records = {}
    for arm in ("resnet3d-dual", shuffled):
        folder = Path(finished.root) / "runs" / arm / "seed-1"
        records[arm] = json.loads((folder / "run.json").read_text())["data"]["train"]
        loss = pd.read_parquet(folder / "history.parquet").query("split == 'train' and level == 'total' and measure == 'loss'")
        assert loss["value"].iloc[-1] < 0.95 * loss["value"].iloc[0]
    assert records[shuffled]["cases"] == records["resnet3d-dual"]["cases"]
    assert records[shuffled]["digest"] != records["resnet3d-dual"]["digest"]
