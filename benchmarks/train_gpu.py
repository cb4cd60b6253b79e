"""Measurements of ``train.py`` on a GPU alone: how much of the device's matrix rate a step uses,
and how long a whole study takes.

    python benchmarks/train_gpu.py

Prints a JSON object; run by ``train.py`` where there is a GPU.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "lib"))

from train_loops import BATCH, labels, settings, spec_of

from kneeoa.config.study import Study
from kneeoa.network.model import ModelSpec, build
from kneeoa.training.engine import Engine

STUDY = Path(__file__).resolve().parent.parent / "workflow" / "studies" / "coarse2fine.yaml"
KNEES = 383
"""Training knees of the study's cohort (OAIZIB-CM with a grade), validation knees among them."""


def rate(work: Callable[[], Any], repeats: int) -> float:
    """Seconds of one call, after three for warming up."""
    for _ in range(3):
        work()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(repeats):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - begun) / repeats


def matrix_rate(size: int = 8192) -> float:
    """Operations a second of a bfloat16 matrix product (two to a multiplication)."""
    a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return 2 * size**3 / rate(lambda: a @ b, 30)


def step_of(spec: ModelSpec) -> Callable[[], Any]:
    """A training step of a network on random voxels that lie on the device, optimiser included."""
    device = torch.device("cuda")
    training = settings(device)
    engine = Engine(build(spec).to(device).train(), training, device)
    optimiser = torch.optim.AdamW(engine.network.parameters(), fused=True)
    images = torch.randn((BATCH, 1, *spec.shape), device=device).half()
    targets = {name: values.to(device) for name, values in labels(BATCH).items() if name in spec.mode.levels}

    def step() -> None:
        engine.gradients(images, targets, list(range(BATCH)), 0, lambda some, _: some.float())
        optimiser.step()

    return step


def operations(step: Callable[[], Any]) -> int:
    """Count the operations of the convolutions and matrix products of a step, forward and
    backward.
    """
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def study_hours() -> dict[str, Any]:
    """Hours of one GPU and of eight for all runs of the study, and seconds a step of each of its
    backbones.
    """
    study = Study.model_validate(yaml.safe_load(STUDY.read_text(encoding="utf-8")))
    share = next(iter(study.cohorts.values())).split.val
    seconds: dict[str, float] = {}
    runs = []
    for arm in study.arms_table():
        shape, backbone, mode = study.input_shape(arm), study.backbones[arm.backbone], study.modes[arm.mode]
        key = f"{arm.backbone} {'x'.join(map(str, shape))}"
        if key not in seconds:
            content = spec_of(shape).to_json() | {"backbone": backbone.kind, "options": dict(backbone.options)}
            content |= {
                "mode": mode.model_dump(mode="json"),
                "levels": [level.model_dump(mode="json") for level in study.levels_of(arm.mode)],
            }
            seconds[key] = rate(step_of(ModelSpec.from_json(content)), 10)
            torch.cuda.empty_cache()
        steps = KNEES * (1 - share) / BATCH + KNEES * share / BATCH / 3  # looking at a case takes about a third of learning from it
        runs += [arm.training.epochs * steps * seconds[key] / 3600] * len(study.seeds)
    on_eight = [0.0] * 8
    for hours in sorted(runs, reverse=True):  # longest first, each to the GPU that is free first
        on_eight[on_eight.index(min(on_eight))] += hours
    return {"study_runs": len(runs), "study_hours_one_gpu": sum(runs), "study_hours_eight_gpus": max(on_eight), "step_seconds": seconds}


def main() -> None:
    """Measure, and print the JSON object."""
    step = step_of(spec_of((160, 256, 256)))
    work, seconds, matrices = operations(step), rate(step, 10), matrix_rate()
    figures = {"step_tflop": work / 1e12, "step_seconds_resnet3d": seconds, "matrix_tflops": matrices / 1e12}
    print(json.dumps({**figures, "share_of_matrix_rate": work / seconds / matrices, **study_hours()}))


if __name__ == "__main__":
    main()
