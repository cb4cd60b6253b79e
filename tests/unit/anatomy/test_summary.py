from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kneeoa.anatomy.subject_summaries import compare_paired
from kneeoa.anatomy.summary import summarise
from kneeoa.config.analysis import Contrast, Statistics
from kneeoa.config.hierarchy import Level
from kneeoa.config.pairs import distinct_pairs
from kneeoa.errors import KneeoaError
from kneeoa.tables.cohort import LABELS
from kneeoa.tables.saliency import ANATOMY, OVERLAP

ARMS = {name: dict(zip(("backbone", "mode"), name.split("-"), strict=True)) for name in ("r-dual", "r-single", "m-dual")}
CONTRAST = Contrast(name="c", level="oa", candidate="dual", reference="single", tests={"auc": ("delong",)})
STATISTICS = Statistics(resamples=2000)


def rows(arm: str, seed: int, values: dict[tuple[str, str], float | None], cohort: str = "made") -> pd.DataFrame:
    """Overlaps of one run: (subject, case) -> value of the one measure."""
    where = {"study": "s", "arm": arm, "seed": seed, "cohort": cohort, "tissue": "cartilage", "measure": "mass"}
    where |= {"method": "smoothgrad_input", "null_z": 1.0, "others_mean": 0.11, "others_z": 0.5, "others_p": 0.4}
    return pd.DataFrame(
        [
            where | {"subject": subject, "case_id": case, "value": value, "chance": 0.1, "null_mean": 0.12, "null_p": 0.5}
            for (subject, case), value in values.items()
        ]
    )


def summary(folder: Path, *tables: pd.DataFrame, contrasts: tuple[Contrast, ...] = (CONTRAST,), **options: Any) -> pd.DataFrame:
    paths = []
    for number, table in enumerate(tables):
        paths.append(folder / f"{number}.parquet")
        OVERLAP.write(paths[-1], table)
    settings = {"arms": ARMS, "contrasts": contrasts, "statistics": STATISTICS, "methods": ("smoothgrad_input",)} | options
    settings = {"labels": [], "level": None} | settings
    summarise(overlaps=paths, **settings, out=folder / "out.parquet")
    return ANATOMY.read(folder / "out.parquet")


def test_seeds_then_cases_then_subjects_are_averaged(tmp_path: Path) -> None:
    first = rows("r-dual", 1, {("p", "p-L"): 0.1, ("p", "p-R"): 0.3, ("q", "q-R"): 0.8})
    second = rows("r-dual", 2, {("p", "p-L"): 0.3, ("p", "p-R"): 0.5, ("q", "q-R"): None})
    second.loc[2, "chance"] = 0.9  # of a map without a value: must not enter
    row = summary(tmp_path, first, second).iloc[0]
    assert row["estimate"] == pytest.approx(((0.2 + 0.4) / 2 + 0.8) / 2)
    assert (row["cases"], row["subjects"], row["seeds"]) == (3, 2, 2)
    assert (row["chance"], row["null_mean"]) == (pytest.approx(0.1), pytest.approx(0.12))
    assert row["note"] == "1 of 6 maps without a value"
    assert row["low"] == pytest.approx(0.3)
    assert row["high"] == pytest.approx(0.8)


def test_a_contrast_is_paired_by_subject(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    base = {(f"p{i:02d}", f"c{i}"): float(value) for i, value in enumerate(generator.uniform(size=30))}
    gain = {key: value + 0.05 + 0.02 * float(generator.normal()) for key, value in base.items()}
    gain[("p00", "c0")] = None  # type: ignore[assignment]
    table = summary(tmp_path, rows("r-dual", 1, gain), rows("r-single", 1, base), rows("m-dual", 1, base))
    assert table["kind"].tolist() == ["arm"] * 3 + ["contrast"]
    row = table.iloc[-1]
    difference = np.array([gain[key] - base[key] for key in base if key != ("p00", "c0")])
    assert (row["arm"], row["reference"]) == ("r-dual", "r-single")
    assert row["estimate"] == pytest.approx(difference.mean())
    assert row["effect"] == pytest.approx(difference.mean() / difference.std(ddof=1))
    assert row["p"] == pytest.approx(stats.wilcoxon(difference, correction=True).pvalue)
    assert (row["cases"], row["subjects"]) == (29, 29)
    half = 1.96 * difference.std() / np.sqrt(29)
    assert row["low"] == pytest.approx(difference.mean() - half, abs=0.2 * half)
    assert row["high"] == pytest.approx(difference.mean() + half, abs=0.2 * half)
    by_arm = table.set_index("arm").iloc[:3]
    width = by_arm["high"] - by_arm["low"]
    assert row["high"] - row["low"] < 0.2 * width["r-dual"]  # pairing removes what the subjects share


def test_identical_arms_are_flagged(tmp_path: Path) -> None:
    same = {(f"p{i}", f"c{i}"): i / 10 for i in range(5)}
    row = summary(tmp_path, rows("r-dual", 1, same), rows("r-single", 1, same)).iloc[-1]
    assert (row["estimate"], row["low"], row["high"], row["p"], row["effect"]) == (0, 0, 0, 1, 0)
    assert row["note"] == "all differences are zero"


def test_nothing_defined_is_said(tmp_path: Path) -> None:
    none = dict.fromkeys([("p", "c"), ("q", "d")])
    table = summary(tmp_path, rows("r-dual", 1, none), rows("r-single", 1, {("p", "c"): 0.1, ("q", "d"): 0.2}))
    arm, contrast = table.iloc[0], table.iloc[-1]
    assert np.isnan(arm["estimate"])
    assert arm["note"] == "undefined: no map with a value; 2 of 2 maps without a value"
    assert (arm["cases"], arm["subjects"]) == (0, 0)
    assert np.isnan(contrast["p"])
    assert "undefined" in contrast["note"]


def test_cohorts_are_apart_and_an_empty_study_is_an_empty_table(tmp_path: Path) -> None:
    values = {("p", "c"): 0.1, ("q", "d"): 0.2}
    table = summary(tmp_path, pd.concat([rows("r-dual", 1, values), rows("r-dual", 1, values, cohort="other")]))
    assert table["cohort"].tolist() == ["made", "other"]
    (tmp_path / "empty").mkdir()
    assert summary(tmp_path / "empty", rows("r-dual", 1, values).iloc[:0]).empty


def test_arms_are_paired_where_only_the_mode_differs() -> None:
    two = (CONTRAST, CONTRAST.model_copy(update={"name": "again", "level": "kl"}))
    assert distinct_pairs(two, ARMS) == {("r-dual", "r-single"): "mode"}
    small = {name: factors | {"grid": "small"} for name, factors in ARMS.items()}
    both = {f"{name}-small": factors for name, factors in small.items()} | {name: f | {"grid": "big"} for name, f in ARMS.items()}
    assert list(distinct_pairs(two, both)) == [("r-dual-small", "r-single-small"), ("r-dual", "r-single")]
    with pytest.raises(KneeoaError, match="'r-dual' and 'twin' have the same factors"):
        distinct_pairs(two, ARMS | {"twin": ARMS["r-dual"]})


def test_an_unknown_arm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KneeoaError, match="name the arm 'x-dual'"):
        summary(tmp_path, rows("x-dual", 1, {("p", "c"): 0.1}))


def test_a_paired_comparison_needs_two_subjects_and_a_spread() -> None:
    assert compare_paired(np.array([0.3])).p is None
    equal = compare_paired(np.full(6, 0.25))
    assert equal.effect is None
    assert equal.note == "all differences are equal: no standardised difference"
    assert equal.p == pytest.approx(stats.wilcoxon(np.full(6, 0.25), correction=True).pvalue)


def test_effects_are_pingouins_and_p_can_be_one_sided() -> None:
    import pingouin

    differences = np.random.default_rng(0).normal(0.3, 1, size=25)
    paired = compare_paired(differences)
    table = pingouin.wilcoxon(differences, np.zeros(25))
    assert paired.rank_biserial == pytest.approx(table["RBC"].iloc[0])
    assert paired.effect == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert compare_paired(differences, "greater").p == pytest.approx(
        stats.wilcoxon(differences, alternative="greater", correction=True).pvalue
    )


def test_methods_and_measures_of_a_contrast_are_adjusted_together_and_grades_are_apart(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    cases = [(f"p{i:02d}", f"c{i:02d}") for i in range(20)]
    tables = []
    for arm, gain in (("r-dual", 0.05), ("r-single", 0.0)):
        parts = []
        for method in ("grad_cam", "smoothgrad_input"):
            for measure in ("normalised", "auroc", "mass", "region_mass"):
                values = {key: float(value) + gain for key, value in zip(cases, generator.uniform(size=20), strict=True)}
                parts.append(rows(arm, 1, values).assign(method=method, measure=measure))
        tables.append(pd.concat(parts))
    level = Level(name="kl", kind="ordinal", classes=("0", "1"))
    shared = {"cohort": "made", "level": "kl", "source": "reader", "readings": 1, "disagreement": False, "all_values": None}
    LABELS.write(tmp_path / "labels.parquet", [shared | {"case_id": case, "value": [int(case[1:]) % 2]} for _, case in cases[:19]])
    methods = ("smoothgrad_input", "grad_cam")
    table = summary(tmp_path, *tables, methods=methods, labels=[tmp_path / "labels.parquet"], level=level)
    assert table["method"].iloc[0] == "smoothgrad_input"
    contrasts = table[(table["kind"] == "contrast") & table["grade"].isna()]
    family = contrasts[contrasts["measure"].isin(["normalised", "auroc"])].sort_values("p")
    assert len(family) == 4
    holm = np.minimum(np.maximum.accumulate(family["p"].to_numpy() * [4, 3, 2, 1]), 1)
    np.testing.assert_allclose(family["p_adjusted"], holm)
    assert contrasts.loc[contrasts["measure"] == "mass", "p_adjusted"].isna().all()
    graded = table[table["grade"].notna()]
    assert set(graded["grade"]) == {0, 1}
    assert "region_mass" not in set(graded["measure"])
    assert sorted(set(graded["cases"])) == [9, 10]
    assert graded["p_adjusted"].isna().all()


def test_an_arm_stands_beside_both_nulls(tmp_path: Path) -> None:
    above = {(f"p{i}", f"c{i}"): 0.2 + i / 100 for i in range(8)}
    row = summary(tmp_path, rows("r-dual", 1, above)).iloc[0]
    assert (row["null_mean"], row["others_mean"], row["null_z"]) == (pytest.approx(0.12), pytest.approx(0.11), 1)
    assert row["null_p"] == pytest.approx(stats.wilcoxon(np.array(list(above.values())) - 0.12, alternative="greater").pvalue, abs=2e-3)
    assert row["others_p"] < 0.01
