"""A tiny task whose answer lies in one tissue, in cases whose tissue speaks for the score.

A trained network looks there beyond both nulls, randomised weights make another map, and deleting
the tissue shows.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneeoa.anatomy.deletion import delete_run
from kneeoa.anatomy.deletion_summary import summarise_deletion
from kneeoa.anatomy.run_overlap import measure_run
from kneeoa.anatomy.sanity import check_maps
from kneeoa.config.analysis import Statistics
from kneeoa.saliency.explain import explain_run
from kneeoa.saliency.randomised import explain_randomised
from kneeoa.tables.saliency import DELETION_SUMMARY, OVERLAP, SALIENCY, SANITY
from tests.unit.anatomy.tiny_study import CASES, SHAPE, anatomies, explained, inputs, tissue_masks, train, write_study


@pytest.fixture(scope="module")
def bright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with cartilage that is brighter than the rest in half of the cases, else darker; two
    networks that saw half of them.
    """
    folder = tmp_path_factory.mktemp("bright")
    masks, labels = tissue_masks(), np.arange(CASES) % 2
    noise = np.random.default_rng(0).normal(0, 1, size=(CASES, *SHAPE))
    step = np.where(labels, 0.6, -0.6).reshape(-1, 1, 1, 1)
    images = (1 + 0.2 * noise + np.where(masks == 2, step, 0)).astype(np.float16)
    write_study(folder, images, masks, labels)
    for seed in (1, 2):
        train(folder, lambda _: (images[:24], labels[:24]), 40, seed)
    return folder


def test_a_trained_network_looks_at_the_tissue_and_randomised_weights_change_the_map(bright: Path) -> None:
    trained = [explained(bright, seed, explain_run, "maps") for seed in (1, 2)]
    changed = [explained(bright, seed, explain_randomised, "randomised") for seed in (1, 2)]
    assert set(SALIENCY.read(changed[0][1])["weights"]) == {"heads", "half", "all"}
    measure_run(maps=trained[0][0], index=trained[0][1], **anatomies(bright), spacing=(1.0, 1.0, 1.0), out=bright / "o.parquet")
    overlaps = OVERLAP.read(bright / "o.parquet").set_index(["tissue", "measure"]).sort_index()
    cartilage = overlaps.loc[("cartilage", "enrichment")]
    assert cartilage["value"].mean() > 2
    assert cartilage["null_p"].median() <= 0.05
    assert (cartilage["value"] > cartilage["others_mean"]).mean() > 0.8
    assert (overlaps.loc[("cartilage", "auroc"), "value"] > 0.5).mean() > 0.8

    out = bright / "sanity.parquet"
    check_maps(
        maps=trained,
        randomised=changed,
        **anatomies(bright),
        spacings={"sag": (1.0, 1.0, 1.0)},
        statistics=Statistics(resamples=200),
        out=out,
    )
    sanity = SANITY.read(out)
    likeness = sanity[sanity["check"] == "randomised"].set_index(["weights", "measure"])["estimate"]
    assert likeness["all", "spearman"] < 0.2
    assert likeness["all", "ssim"] < 0.3
    enriched = sanity[(sanity["check"] == "enrichment") & (sanity["tissue"] == "cartilage")].set_index(["weights", "measure"])
    full = enriched.loc[("all", "absolute_enrichment")]
    assert full["null_p"] < 0.05  # a gradient times a bright input stands out with any weights, ...
    assert full["difference_low"] > 0  # ... so that what training adds is told from the difference
    assert enriched.loc[("trained", "enrichment"), "estimate"] == pytest.approx(cartilage["value"].mean(), rel=0.25)  # one seed of two
    repeated = sanity[sanity["check"] == "repeatability"].iloc[0]
    assert repeated["estimate"] > repeated["reference"]
    assert (repeated["cases"], repeated["seeds"]) == (12, 2)


def test_deleting_the_tissue_changes_the_score_more_than_controls_do(bright: Path) -> None:
    folder = bright
    paths = []
    for seed in (1, 2):
        paths.append(folder / f"deletion-{seed}.parquet")
        settings = {"study": "s", "arm": "a", "seed": seed, "folder": folder / f"run-{seed}", "view": "sag", "target": "oa"}
        delete_run(**settings, **inputs(bright) | anatomies(bright), spacing=(1.0, 1.0, 1.0), batch=4, threads=1, out=paths[-1])
    summarise_deletion(deletions=paths, group="cartilage", statistics=Statistics(resamples=200), out=folder / "summary.parquet")
    summary: pd.DataFrame = DELETION_SUMMARY.read(folder / "summary.parquet")
    drops = summary[summary["reference"].isna()].set_index(["measure", "region"])["estimate"]
    assert drops["absolute_drop", "cartilage"] > 2 * drops["absolute_drop", "control_joint"]
    paired = summary[(summary["measure"] == "absolute_drop") & summary["reference"].notna()]
    assert set(paired["reference"]) == {"control_joint", "control_bone"}
    assert (paired["low"] > 0).all()
    assert (paired["p"] < 0.01).all()
