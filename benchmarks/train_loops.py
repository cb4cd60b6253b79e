"""The training loops that ``train.py`` compares, each in a process of its own: the same network,
knees, labels, order and steps.

    python benchmarks/train_loops.py (plain | resident | streamed) FOLDER --epochs N

The plain loop is the published one: each epoch decodes every NIfTI file again, z-scores and resizes
it in a DataLoader's workers, and trains in float32, two volumes at a time. Ours reads what
ingestion has made of the same files once: canonical float16 shards. Prints a JSON object.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import resource
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "lib"))

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.config.training import Training
from kneeoa.network.model import ModelSpec, Network, build
from kneeoa.tables.shards import VOLUMES
from kneeoa.training.augmentation import draw_augmentation
from kneeoa.training.dataset import Dataset, training_batches
from kneeoa.training.device import reproducible
from kneeoa.training.engine import Engine
from kneeoa.training.image_storage import Resident, Streamed
from kneeoa.training.loop import EpochState, Plan, steps
from kneeoa.training.optimizer import AdamW
from kneeoa.training.shards import Shards

FILE = (256, 256, 160)
"""Shape of a NIfTI file, as the published loader reads it: rows, columns, slices."""
OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
BATCH, RATE, SEED = 2, 1e-4, 1


def spec_of(shape: tuple[int, ...]) -> ModelSpec:
    """The published ResNet3D-18 with both heads, for volumes of ``shape``."""
    mode = Mode(kind="dual", levels=("oa", "kl"))
    return ModelSpec(backbone="resnet3d", options={}, dimensions=3, shape=shape, mode=mode, levels=(OA, KL))


def settings(device: torch.device) -> Training:
    """The settings that a run of the study would use, without random changes, which the plain loop
    has not.
    """
    return Training(batch=BATCH, learning_rate=RATE, augmentation={}, precision="bfloat16" if device.type == "cuda" else "float32")


def make_files(folder: Path, knees: int) -> None:
    """Write the knees: smooth tissue and noise, float32 and z-scored already, as the published
    preprocessing leaves them.
    """
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.standard_normal((1, 1, 16, 16, 10), dtype=np.float32))
    tissue = functional.interpolate(coarse, FILE, mode="trilinear")[0, 0].numpy()
    for knee in range(knees):
        voxels = np.roll(tissue, 7 * knee, axis=0) + 0.1 * rng.standard_normal(FILE, dtype=np.float32)
        image = nibabel.Nifti1Image((voxels - voxels.mean()) / voxels.std(), np.eye(4))
        (folder / f"{knee:04d}.nii.gz").write_bytes(gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))


def decode(path: Path, shape: tuple[int, ...]) -> torch.Tensor:
    """The published loader: decode, z-score again, slices first, resize; float32 ``[1,
    *shape]``.
    """
    voxels = np.asarray(nibabel.load(path).dataobj, dtype=np.float32)
    voxels = (voxels - voxels.mean()) / (voxels.std() + 1e-8)
    image = torch.from_numpy(voxels).permute(2, 0, 1)[None, None]
    return functional.interpolate(image, shape, mode="trilinear", align_corners=False)[0]


def make_shard(folder: Path, shape: tuple[int, ...]) -> float:
    """Write the shard that ingestion makes of the files, once for all epochs, arms and seeds;
    returns the seconds that it took.
    """
    begun = time.perf_counter()
    files = sorted(folder.glob("*.nii.gz"))
    np.save(folder / "shard.npy", np.stack([decode(path, shape)[0].numpy().astype(np.float16) for path in files]))
    constant: dict[str, Any] = {"cohort": "main", "view": "sag_dess", "shard": 0, "digest": "0", "source_digest": "0", "mirrored": False}
    constant |= {"source_shape": list(FILE), "source_spacing": [1.0] * 3, "source_centre": [0.0] * 3, "affine": [0.0] * 16}
    constant |= {"low": 0.0, "high": 1.0, "mean": 0.0, "sd": 1.0}
    constant |= dict.fromkeys(("joint_row", "joint_column", "joint_fit", "negative"))
    VOLUMES.write(folder / "shard.parquet", [constant | {"case_id": path.name[:4], "row": row} for row, path in enumerate(files)])
    return time.perf_counter() - begun


def labels(knees: int) -> dict[str, torch.Tensor]:
    """Grades and what follows from them."""
    grades = torch.arange(knees) % 5
    return {"oa": (grades >= 2).long(), "kl": grades}


class Files(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """The published dataset: a file a case."""

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self.paths = sorted(folder.glob("*.nii.gz"))
        self.shape = shape

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, case: int) -> tuple[torch.Tensor, int]:
        return decode(self.paths[case], self.shape), case


def plain(folder: Path, shape: tuple[int, ...], epochs: int, workers: int) -> Iterator[tuple[float, float]]:
    """Seconds and mean loss of each epoch of the plain loop."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = Files(folder, shape)
    targets = labels(len(data))
    network = contiguous(build(spec_of(shape))).to(device).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-4)
    for epoch in range(1, epochs + 1):
        begun = time.perf_counter()
        order = [list(rows) for rows in training_batches(len(data), BATCH, SEED, epoch)]
        total = 0.0
        for images, cases in torch.utils.data.DataLoader(data, batch_sampler=order, num_workers=workers, pin_memory=device.type == "cuda"):
            features = network.backbone(images.to(device))
            losses = network.heads.loss(
                network.heads(features.embedding), {name: values[cases].to(device) for name, values in targets.items()}
            )
            optimiser.zero_grad()
            losses["total"].backward()
            optimiser.step()
            total += float(losses["total"].detach()) * len(cases)
        yield time.perf_counter() - begun, total / len(data)


def contiguous(network: Network) -> Network:
    """The network with its kernels as torch lays them out unless told otherwise."""
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()
    return network


def ours(kind: str, folder: Path, shape: tuple[int, ...], epochs: int, device: torch.device) -> Iterator[tuple[float, float, float]]:
    """Seconds, mean loss and seconds of waiting for data of each epoch of our loop."""
    import pandas as pd

    shards = Shards([folder / "shard.npy"], [folder / "shard.parquet"], shape)
    knees = len(list(folder.glob("*.nii.gz")))
    places = np.stack([np.zeros(knees, dtype=np.int64), np.arange(knees)], axis=1)
    store = Resident if kind == "resident" else Streamed
    cases = pd.DataFrame({"cohort": "main", "case_id": [f"{knee:04d}" for knee in range(knees)]})
    images = store(shards, places, device)
    data, training = Dataset(cases, images, labels(knees), voxels=("0",) * knees), settings(device)
    engine = Engine(build(spec_of(shape)).to(device), training, device)
    optimiser = AdamW(engine.network.parameters(), training.weight_decay)
    for epoch in range(1, epochs + 1):
        batches: list[NDArray[np.int64]] = training_batches(knees, BATCH, SEED, epoch)
        plan = Plan(SEED, epoch, batches, [RATE] * len(batches), draw_augmentation(training.augmentation, knees, shape, SEED, epoch))
        tally = EpochState()
        begun = time.perf_counter()
        for _ in steps(engine, data, plan, tally, optimiser):
            pass
        if device.type == "cuda":
            torch.cuda.synchronize()
        yield time.perf_counter() - begun, tally.means()["total"], tally.waited


def processor_seconds() -> float:
    """Processor seconds of this process and of the workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def peak_mb() -> float:
    """Peak memory of this process. Not getrusage where it can be had otherwise: its maximum begins
    with what the parent held.
    """
    status = Path("/proc/self/status")
    peaks = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.exists() else []
    return int(peaks[0]) * 1024 / 1e6 if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    """One loop; the epochs' seconds, losses and waits as JSON."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("loop", choices=["plain", "resident", "streamed"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", type=int, nargs=3, required=True)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    shape = tuple(options.shape)
    torch.manual_seed(SEED)  # both begin from the same weights
    begun = processor_seconds()
    if options.loop == "plain":
        torch.set_num_threads(options.threads)
        loop = plain(options.folder, shape, options.epochs, workers=options.threads)
        epochs = [(seconds, loss, 0.0, processor_seconds()) for seconds, loss in loop]
    else:
        with reproducible(options.threads) as device:
            torch.manual_seed(SEED)
            loop = ours(options.loop, options.folder, shape, options.epochs, device)
            epochs = [(*epoch, processor_seconds()) for epoch in loop]
    seconds, losses, waits, clock = (list(column) for column in zip(*epochs, strict=True))
    device_mb = torch.cuda.max_memory_allocated() / 1e6 if torch.cuda.is_available() else None
    processor = np.diff([begun, *clock]).tolist()
    result = {"seconds": seconds, "losses": losses, "waits": waits, "processor": processor, "peak_mb": peak_mb(), "device_mb": device_mb}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
