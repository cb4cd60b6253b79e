"""A tiny task whose answer lies in one tissue, in cases whose tissue speaks for the score.

A trained network looks there beyond both nulls, randomised weights make another map, and deleting the tissue shows.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from kneeoa.anatomy.deletion_summary import summarise_deletion
from kneeoa.anatomy.measure import measure_run
from kneeoa.anatomy.sanity import check
from kneeoa.config.analysis import Anatomy, Saliency, Statistics
from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.network.model import ModelSpec, build, save
from kneeoa.saliency.deletion import delete_run
from kneeoa.saliency.explain import Run, explain_run
from kneeoa.saliency.randomised import explain_randomised
from kneeoa.tables.deletion import DELETION_SUMMARY
from kneeoa.tables.masks import MASKS
from kneeoa.tables.overlap import OVERLAP
from kneeoa.tables.saliency import SALIENCY
from kneeoa.tables.sanity import SANITY
from kneeoa.tables.splits import SPLITS
from kneeoa.tables.volumes import VOLUMES

SHAPE = (10, 20, 20)
LEVELS = (Level(name="oa", kind="binary", classes=("no", "yes")),)
TISSUES = {"made": {"bone": (2,), "cartilage": (1,)}}  # stored: bone 1, cartilage 2
ANATOMY = Anatomy(targets={"cartilage": ("cartilage",), "bone": ("bone",)}, shifts=99, deletion=12, region_mm=4, controls=3, blur_mm=2)
CASES = 48


def knees() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise with cartilage, elsewhere in every case, that is brighter than the rest in half of the cases, else darker."""
    generator = np.random.default_rng(0)
    images = generator.normal(0, 1, size=(CASES, *SHAPE))
    masks = np.zeros((CASES, *SHAPE), dtype=np.uint8)
    labels = np.arange(CASES) % 2
    for case, label in enumerate(labels):
        # Sixteen places that together cover the image once: a map that always looks at the middle is at chance on their average.
        place = case // 2 % 16
        row, column, slice_ = place % 4 * 5, place // 4 % 2 * 10, place // 8 * 5
        block = masks[case, slice_ : slice_ + 5, :, column : column + 10]
        block[:, np.arange(row + 5, row + 10) % SHAPE[1]] = 1
        block[:, row : row + 5] = 2
        inside = masks[case] == 2
        images[case] = 1 + 0.2 * images[case] + np.where(inside, 0.6 if label else -0.6, 0)
    return images.astype(np.float16), masks, labels


def made(folder: Path) -> dict[str, Any]:
    images, masks, labels = knees()
    names = [f"c{case:02d}" for case in range(CASES)]
    np.save(folder / "images.npy", images)
    np.save(folder / "masks.npy", masks)
    shared = [
        {"cohort": "made", "case_id": name, "view": "sag", "shard": 0, "row": row, "digest": "", "source_digest": ""}
        for row, name in enumerate(names)
    ]
    numbers = {"source_shape": [1], "source_spacing": [1.0], "source_centre": [0.0], "affine": [0.0] * 16, "mirrored": False}
    numbers |= {"low": 0.0, "high": 1.0, "mean": 0.0, "sd": 1.0} | dict.fromkeys(("joint_row", "joint_column", "joint_fit", "negative"))
    VOLUMES.write(folder / "images.parquet", [row | numbers for row in shared])
    judged = {"inside": 1.0, "contrast": 1.0, "cartilage_mm3": 1.0, "cartilage_thickness_mm": 1.0, "flags": [], "usable": True}
    MASKS.write(folder / "masks.parquet", [row | judged for row in shared])
    split = [{"cohort": "made", "case_id": name, "subject": f"p{name}", "side": "R", "visit": "00m"} for name in names]
    SPLITS.write(
        folder / "splits.parquet", [row | {"split": "test" if case >= 24 and labels[case] else "train"} for case, row in enumerate(split)]
    )
    for seed in (1, 2):
        train(folder / f"run-{seed}", images[:24], labels[:24], seed)
    return {"folder": folder, "labels": labels}


@pytest.fixture(scope="module")
def bright(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("bright"))


def train(folder: Path, images: np.ndarray, labels: np.ndarray, seed: int) -> None:
    mode = Mode(kind="single", levels=("oa",))
    spec = ModelSpec(backbone="resnet3d", options={"width": 4}, dimensions=3, shape=SHAPE, mode=mode, levels=LEVELS)
    torch.manual_seed(seed)
    network = build(spec)
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3)
    batch, truth = torch.from_numpy(images.astype(np.float32))[:, None], {"oa": torch.from_numpy(labels)}
    for _ in range(40):
        optimiser.zero_grad()
        network.heads.loss(network(batch).logits, truth)["total"].backward()
        optimiser.step()
    save(network, spec, folder)


def explained(study: dict[str, Any], seed: int, function: Any, name: str) -> tuple[Path, Path]:
    folder = study["folder"]
    options = Saliency(samples=4, keep=1, randomised=12)
    run = Run("s", "a", seed, "sag", "smoothgrad_input", "oa", options, 8)
    out = folder / f"{name}-{seed}.npy", folder / f"{name}-{seed}.parquet"
    function(run=run, folder=folder / f"run-{seed}", **inputs(study), threads=1, out_maps=out[0], out_index=out[1])
    return out


def inputs(study: dict[str, Any]) -> dict[str, Any]:
    folder = study["folder"]
    return {"arrays": [folder / "images.npy"], "indices": [folder / "images.parquet"], "splits": [folder / "splits.parquet"], "labels": []}


def anatomies(study: dict[str, Any]) -> dict[str, Any]:
    folder = study["folder"]
    masks = {"mask_arrays": [folder / "masks.npy"], "mask_indices": [folder / "masks.parquet"], "splits": [folder / "splits.parquet"]}
    return masks | {"tissues": TISSUES, "anatomy": ANATOMY}


def test_a_trained_network_looks_at_the_tissue_and_randomised_weights_change_the_map(bright: dict[str, Any]) -> None:
    trained = [explained(bright, seed, explain_run, "maps") for seed in (1, 2)]
    changed = [explained(bright, seed, explain_randomised, "randomised") for seed in (1, 2)]
    assert set(SALIENCY.read(changed[0][1])["weights"]) == {"heads", "half", "all"}
    measure_run(maps=trained[0][0], index=trained[0][1], **anatomies(bright), spacing=(1.0, 1.0, 1.0), out=bright["folder"] / "o.parquet")
    found = OVERLAP.read(bright["folder"] / "o.parquet").set_index(["tissue", "measure"]).sort_index()
    cartilage = found.loc[("cartilage", "enrichment")]
    assert cartilage["value"].mean() > 2
    assert cartilage["null_p"].median() <= 0.05
    assert (cartilage["value"] > cartilage["others_mean"]).mean() > 0.8
    assert (found.loc[("cartilage", "auroc"), "value"] > 0.5).mean() > 0.8

    out = bright["folder"] / "sanity.parquet"
    check(
        maps=trained,
        randomised=changed,
        **anatomies(bright),
        spacings={"sag": (1.0, 1.0, 1.0)},
        statistics=Statistics(resamples=200),
        out=out,
    )
    sanity = SANITY.read(out)
    rows = sanity[sanity["check"] == "randomised"].set_index(["weights", "measure"])
    full = rows.loc[("all", "enrichment")]
    assert full["reference"] > 1.5
    assert full["estimate"] < full["reference"]  # but above one: a gradient times a bright input stands out with any weights
    assert rows.loc[("all", "spearman"), "estimate"] < 0.2
    assert rows.loc[("all", "ssim"), "estimate"] < 0.3
    repeated = sanity[sanity["check"] == "repeatability"].iloc[0]
    assert repeated["estimate"] > repeated["reference"]
    assert (repeated["cases"], repeated["seeds"]) == (12, 2)


def test_deleting_the_tissue_changes_the_score_more_than_controls_do(bright: dict[str, Any]) -> None:
    folder = bright["folder"]
    paths = []
    for seed in (1, 2):
        paths.append(folder / f"deletion-{seed}.parquet")
        settings = {"study": "s", "arm": "a", "seed": seed, "folder": folder / f"run-{seed}", "view": "sag", "target_level": "oa"}
        delete_run(**settings, **inputs(bright) | anatomies(bright), spacing=(1.0, 1.0, 1.0), batch=4, threads=1, out=paths[-1])
    summarise_deletion(deletions=paths, group="cartilage", statistics=Statistics(resamples=200), out=folder / "summary.parquet")
    found: pd.DataFrame = DELETION_SUMMARY.read(folder / "summary.parquet")
    own = found[found["reference"].isna()].set_index(["measure", "region"])["estimate"]
    assert own["absolute_drop", "cartilage"] > 2 * own["absolute_drop", "control_joint"]
    paired = found[(found["measure"] == "absolute_drop") & found["reference"].notna()]
    assert set(paired["reference"]) == {"control_joint", "control_bone"}
    assert (paired["low"] > 0).all()
    assert (paired["p"] < 0.01).all()
