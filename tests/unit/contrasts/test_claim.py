"""CLAIM: the three parts from one bootstrap of subjects and seeds; parts that a study lacks are
left out.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from kneeoa.config.statistics import Contrast, Statistics
from kneeoa.contrasts.claim import build_claim
from kneeoa.contrasts.claim_parts import axis_change, prediction_changes, saliency_change
from kneeoa.errors import KneeoaError
from kneeoa.tables.geometry import AXIS
from kneeoa.tables.saliency import OVERLAP
from kneeoa.tables.statistics import CLAIM

ARMS = {f"n-{mode}": {"backbone": "n", "mode": mode} for mode in ("dual", "single_oa", "single_kl")}
CONTRASTS = tuple(
    Contrast(name=f"{level}-dual", level=level, candidate="dual", reference=f"single_{level}", tests={"accuracy": ("mcnemar",)})
    for level in ("oa", "kl")
)
HEADS = {"dual": ("oa", "kl"), "single_oa": ("oa",), "single_kl": ("kl",)}


def runs(make, seeds) -> list[pd.DataFrame]:
    return [
        make(f"n-{mode}", heads, seed, noise=number, skill=1.6 if mode == "dual" else 0.8)
        for number, (mode, heads) in enumerate(HEADS.items())
        for seed in seeds
    ]


def parts(tmp_path, frames) -> tuple[list, list]:
    axes, overlaps = [], []
    for number, frame in enumerate(frames):
        rows = frame.drop_duplicates("case_id")
        grade = rows.case_id.map(lambda name: int(name[-3:]) % 5)
        noise = np.random.default_rng(number).normal(size=(2, len(rows)))
        steep = 2.0 if rows.arm.iloc[0] == "n-dual" else 0.7
        shared = rows[["study", "arm", "seed", "cohort", "case_id", "subject"]]
        axes.append(tmp_path / f"{number}.axis.parquet")
        position = steep * grade.to_numpy() + noise[0]
        AXIS.write(axes[-1], shared.assign(axis="pc1", split="test", position=position, across=0.0, grade=grade.astype("Int16")))
        overlaps.append(tmp_path / f"{number}.overlap.parquet")
        measured = shared.assign(tissue="cartilage", measure="enrichment", value=1 + 0.3 * steep + 0.1 * noise[1])
        OVERLAP.write(overlaps[-1], measured.assign(method="smoothgrad_input").reindex(columns=OVERLAP.schema.names))
    return axes, overlaps


def build(tmp_path, levels, files, axes=(), overlaps=(), **options) -> pd.DataFrame:
    statistics = Statistics(resamples=400, contrasts=CONTRASTS, **options)
    build_claim(files, list(axes), list(overlaps), ARMS, levels, statistics, tmp_path / "claim.parquet")
    return CLAIM.read(tmp_path / "claim.parquet")


def test_the_three_parts_stand_side_by_side(tmp_path, levels, make, save) -> None:
    frames = runs(make, (1, 2, 3))
    axes, overlaps = parts(tmp_path, frames)
    rows = build(tmp_path, levels, save(*frames), axes, overlaps)
    assert rows.groupby("reference").measure.apply(list).to_dict() == {
        "n-single_kl": ["auc", "macro_auc", "spearman", "enrichment"],
        "n-single_oa": ["auc", "spearman", "enrichment"],
    }
    assert set(rows.resampled) == {"subjects and seeds"}
    assert (rows.subjects == 30).all()
    assert (rows.difference[rows.part != "prediction"] > 0).all()
    assert ((rows.low < rows.difference) & (rows.difference < rows.high)).all()
    row = rows[(rows.part == "axis") & (rows.reference == "n-single_oa")].iloc[0]
    axis = AXIS.concat(axes[:3])
    rho = [spearmanr(of_seed.position, of_seed.grade.astype(float)).statistic for _, of_seed in axis.groupby("seed")]
    assert row.estimate_candidate == pytest.approx(np.mean(rho))
    saliency = rows[(rows.part == "saliency")].iloc[0]
    values = OVERLAP.concat(overlaps[:3])
    assert saliency.estimate_candidate == pytest.approx(values.groupby(["seed", "subject"]).value.mean().mean())


def test_seeds_widen_the_interval_when_there_are_three(tmp_path, levels, make, save) -> None:
    frames = runs(make, (1, 2, 3))
    for seed, frame in zip((1, 2, 3), frames[:3], strict=True):  # one seed of the candidate is a failure
        if seed == 3:
            frame["probabilities"] = frame["probabilities"].map(lambda values: values[::-1])
    both = build(tmp_path, levels, save(*frames))
    two = build(tmp_path, levels, save(*(frame for frame in frames if frame.seed.iloc[0] != 1)))
    assert set(two.resampled) == {"subjects"}
    assert (both.high - both.low).iloc[0] > 1.5 * (two.high - two.low).iloc[0]


def test_predictions_alone_have_their_column_and_the_derived_head_is_said(tmp_path, levels, make, save) -> None:
    frames = [frame.assign(seed=pd.array([None] * len(frame), dtype="Int32")) for frame in runs(make, (1,))]
    rows = build(tmp_path, levels, save(*frames))
    assert set(rows.part) == {"prediction"}
    row = rows[(rows.reference == "n-single_oa")].iloc[0]
    coarse = frames[0][(frames[0].level == "oa") & (frames[0]["head"] == "oa")]
    truth, score = coarse.truth.map(lambda value: value[0]), coarse.probabilities.map(lambda value: value[1])
    assert row.estimate_candidate == pytest.approx(roc_auc_score(truth, score))
    assert "n-single_kl: level read from head 'kl'" in rows[(rows.reference == "n-single_kl")].note.iloc[0]


def test_a_tissue_that_is_not_there_is_named(tmp_path, levels, make, save) -> None:
    frames = runs(make, (1,))
    axes, overlaps = parts(tmp_path, frames)
    with pytest.raises(KneeoaError, match=r"'statistics.claim.tissue' is 'meniscus'.*they hold cartilage"):
        build(tmp_path, levels, save(*frames), axes, overlaps, claim={"tissue": "meniscus"})


def test_what_cases_add_sums_to_the_difference_of_every_part(tmp_path, levels, make, save) -> None:
    frames = runs(make, (1, 2))
    axes, overlaps = (
        pd.concat([schema.read(path) for path in paths]) for schema, paths in zip((AXIS, OVERLAP), parts(tmp_path, frames), strict=True)
    )
    changes = prediction_changes(pd.concat(frames), "n-dual", "n-single_kl", "c", levels)
    changes += axis_change(axes, "n-dual", "n-single_kl", "c", "pc1", "kl")
    changes += saliency_change(overlaps, "n-dual", "n-single_kl", "c", "cartilage", "enrichment")
    assert {change.part for change in changes} == {"prediction", "axis", "saliency"}
    for change in changes:
        people = sorted(set(change.subjects))
        once = change.case_weights(np.ones((1, len(people))), people)
        first, second = (np.stack([change.runs[seed][side](once) for seed in (1, 2)], axis=1) for side in (0, 1))
        assert change.parts([1, 2]).sum() == pytest.approx(first.mean() - second.mean(), abs=0.02), change.part


@pytest.mark.parametrize(("seeds", "words"), [((1,), "sign permutation"), ((1, 2, 3), "Student's t in place of percentiles")])
def test_few_subjects_have_a_test_of_their_own(tmp_path, levels, make, save, seeds, words) -> None:
    frames = [frame[frame.case_id.map(lambda name: int(name[-3:]) < 6)] for frame in runs(make, seeds)]
    table = build(tmp_path, levels, save(*frames))
    few = table[table.note.str.contains("few subjects")]
    assert len(few)
    assert few.note.str.contains(words).all()
    assert ((few.p < 0.05) == ((few.low > 0) | (few.high < 0)) | few.note.str.contains("need not agree")).all()
