"""A training step with the plug-in module against the same step with the published form's loop over
the images of a batch, and the share of a step that choosing locations takes.

`python benchmarks/plugin.py [--repeats 7] [--threads 2]`. In two dimensions a ResNet-50,
in three a ResNet3D-18, smaller on a CPU than on a GPU. Steps of both forms take turns in
one process. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "lib")]

from kneeoa.config.hierarchy import Level  # noqa: E402
from kneeoa.config.modes import Mode  # noqa: E402
from kneeoa.heads.losses.interface import Criterion  # noqa: E402
from kneeoa.network.model import ModelSpec, build  # noqa: E402
from kneeoa.network.network import Network  # noqa: E402
from kneeoa.plugins import pim  # noqa: E402
from kneeoa.plugins.pim import Pim  # noqa: E402
from kneeoa.training.device import keep_freed_memory  # noqa: E402

KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"))
FORMS = ("together", "looped")
CPU = {
    "2D": {"backbone": "resnet50", "options": {"width": 16}, "shape": (224, 224), "batch": 8},
    "3D": {"backbone": "resnet3d", "options": {"width": 8}, "shape": (40, 96, 96), "batch": 2},
}
GPU = {
    "2D": {"backbone": "resnet50", "options": {}, "shape": (384, 384), "batch": 16},
    "3D": {"backbone": "resnet3d", "options": {}, "shape": (160, 256, 256), "batch": 2},
}


def rank_by_image(criterion: Criterion, outputs: Tensor) -> Tensor:
    """Ranks of every image's locations, an image at a time, as the published form sorts them."""
    ranks = []
    for image in outputs.detach():
        scores = torch.softmax(criterion.class_logits(image), dim=-1).max(dim=-1).values
        ranks.append(torch.sort(scores, descending=True).indices)
    return torch.stack(ranks)


def take_by_image(values: Tensor, places: Tensor) -> Tensor:
    """The values at chosen locations, an image at a time."""
    return torch.stack([image[where] for image, where in zip(values, places, strict=True)])


def unchosen_by_image(locations: int, places: Tensor) -> Tensor:
    """Return which locations are not chosen, an image at a time."""
    masks = []
    for where in places:
        mask = torch.ones(locations, dtype=torch.bool, device=places.device)
        mask[where] = False
        masks.append(mask)
    return torch.stack(masks)


@contextmanager
def looped() -> Iterator[None]:
    """Choose an image at a time, until the end."""
    together = pim.rank_locations, pim.take_locations, pim.unchosen
    pim.rank_locations, pim.take_locations, pim.unchosen = rank_by_image, take_by_image, unchosen_by_image
    try:
        yield
    finally:
        pim.rank_locations, pim.take_locations, pim.unchosen = together


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that something takes, to its end on the device."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def step(network: Network, images: Tensor, labels: Tensor) -> float:
    """A forward and a backward pass; returns the loss."""
    network.zero_grad(set_to_none=True)
    loss = network.heads.loss(network(images).logits, {"kl": labels})["total"]
    loss.backward()
    return float(loss.detach())


def choose(module: Pim, locations: list[Tensor], pyramid: list[Tensor]) -> None:
    """All that choosing adds to a step, forward and backward, and nothing else."""
    total = torch.zeros((), device=pyramid[0].device)
    for outputs, features, number in zip(locations, pyramid, module.select, strict=True):
        first = pim.rank_locations(module.criteria["kl"], outputs)[:, :number]
        pim.unchosen(outputs.shape[1], first)
        total = total + pim.take_locations(features, first).sum() + pim.take_locations(outputs, first).sum()
    total.backward()


def measure(case: dict, repeats: int, device: torch.device) -> dict[str, object]:
    """Seconds of a step in both forms, their ratio, and the share of choosing in a step."""
    torch.manual_seed(1)
    shape, batch = tuple(case["shape"]), int(case["batch"])
    mode = Mode(kind="single", levels=("kl",))
    spec = ModelSpec(
        backbone=case["backbone"],
        options=case["options"],
        dimensions=len(shape),
        shape=shape,
        mode=mode,
        levels=(KL,),
        plugin={"kind": "pim"},
    )
    network = build(spec).to(device).train()
    images, labels = torch.randn(batch, 1, *shape, device=device), torch.arange(batch, device=device) % 5
    module = network.heads
    assert isinstance(module, Pim)
    with torch.no_grad():
        pyramid = module.pyramid(module.locations_of(network.backbone(images).maps))
        locations = [tower(features) for tower, features in zip(module.selections["kl"].towers, pyramid, strict=True)]
    leaves = [[each.clone().requires_grad_() for each in tensors] for tensors in (locations, pyramid)]
    step(network, images, labels)
    times: dict[str, list[float]] = {"together": [], "looped": [], "choosing": []}
    for _ in range(repeats):
        times["together"].append(seconds(lambda: step(network, images, labels), device))
        with looped():
            times["looped"].append(seconds(lambda: step(network, images, labels), device))
        times["choosing"].append(seconds(lambda: choose(module, *leaves), device))
    best = {name: statistics.median(values) for name, values in times.items()}
    return {
        "locations": list(module.maps.locations),
        "batch": batch,
        "step": round(best["together"], 4),
        "looped_step": round(best["looped"], 4),
        "ratio": round(statistics.median(a / b for a, b in zip(times["looped"], times["together"], strict=True)), 3),
        "choosing": round(best["choosing"], 4),
        "share": round(best["choosing"] / best["together"], 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu":
        keep_freed_memory()
    results = {}
    for name, case in (GPU if device.type == "cuda" else CPU).items():
        results[name] = measure(case, arguments.repeats, device)
        print(name, results[name], flush=True)
    print(json.dumps({"device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu", **results}))


if __name__ == "__main__":
    main()
