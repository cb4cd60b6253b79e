"""A tiny study on disk (images, masks, splits, networks) for tests of where trained networks
look.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kneeoa.config.analysis import Anatomy, Saliency
from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.network.model import ModelSpec, build, save
from kneeoa.saliency.explain import SaliencyRun
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.shards import MASKS, VOLUMES

SHAPE = (10, 20, 20)
LEVELS = (Level(name="oa", kind="binary", classes=("no", "yes")),)
TISSUES = {"made": {"bone": (2,), "cartilage": (1,)}}  # stored: bone 1, cartilage 2
ANATOMY = Anatomy(targets={"cartilage": ("cartilage",), "bone": ("bone",)}, shifts=99, deletion=12, region_mm=4, controls=3, blur_mm=2)
CASES = 48
Batches = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""Step -> images and labels."""


def tissue_masks() -> np.ndarray:
    """Bone (1) beside cartilage (2), elsewhere in every case: sixteen places that together cover
    the image once.

    A map that always looks at the middle is at chance on their average.
    """
    masks = np.zeros((CASES, *SHAPE), dtype=np.uint8)
    for case in range(CASES):
        place = case // 2 % 16
        row, column, slice_ = place % 4 * 5, place // 4 % 2 * 10, place // 8 * 5
        block = masks[case, slice_ : slice_ + 5, :, column : column + 10]
        block[:, np.arange(row + 5, row + 10) % SHAPE[1]] = 1
        block[:, row : row + 5] = 2
    return masks


def write_study(folder: Path, images: np.ndarray, masks: np.ndarray, labels: np.ndarray) -> None:
    """Images, masks and splits; the test cases are the positive ones of the second half."""
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


def train(folder: Path, batches: Batches, steps: int, seed: int) -> None:
    """Train a small network and save it to ``folder / run-<seed>``."""
    mode = Mode(kind="single", levels=("oa",))
    spec = ModelSpec(backbone="resnet3d", options={"width": 4}, dimensions=3, shape=SHAPE, mode=mode, levels=LEVELS)
    torch.manual_seed(seed)
    network = build(spec)
    optimiser = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for step in range(steps):
        images, labels = batches(step)
        optimiser.zero_grad()
        predicted = network(torch.from_numpy(images.astype(np.float32))[:, None]).logits
        network.heads.loss(predicted, {"oa": torch.from_numpy(labels)})["total"].backward()
        optimiser.step()
    save(network, spec, folder / f"run-{seed}")


def explained(folder: Path, seed: int, function: Any, name: str, method: str = "smoothgrad_input") -> tuple[Path, Path]:
    """Maps of a run's test cases and their table, by ``function``: trained or randomised
    weights.
    """
    run = SaliencyRun("s", "a", seed, "sag", method, "oa", Saliency(samples=4, keep=1, randomised=12), 8)
    out = folder / f"{name}-{method}-{seed}.npy", folder / f"{name}-{method}-{seed}.parquet"
    function(run=run, folder=folder / f"run-{seed}", **inputs(folder), threads=1, out_maps=out[0], out_index=out[1])
    return out


def inputs(folder: Path) -> dict[str, Any]:
    """Inputs of stages that run a network."""
    return {"arrays": [folder / "images.npy"], "indices": [folder / "images.parquet"], "splits": [folder / "splits.parquet"], "labels": []}


def anatomies(folder: Path) -> dict[str, Any]:
    """Inputs of stages that look at tissues."""
    masks = {"mask_arrays": [folder / "masks.npy"], "mask_indices": [folder / "masks.parquet"], "splits": [folder / "splits.parquet"]}
    return masks | {"tissues": TISSUES, "anatomy": ANATOMY}
