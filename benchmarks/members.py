"""Memory and seconds of a training step of each arm of a study, measured, beside the estimate.

    python benchmarks/members.py [workflow/studies/plugin.yaml] [--steps 3] [--threads 1]

Each arm is measured in a process of its own, on the GPU where there is one, with random images and
fresh weights: augmentation, forward and backward pass of a whole batch in its micro-batches, and
the optimiser's step. Memory is the peak of the device's tensors, on a CPU that of the process above
what it held before the network was built. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "lib"))

from kneeoa.config.arms import Arm  # noqa: E402
from kneeoa.config.study import Study, load  # noqa: E402
from kneeoa.estimate import memory_and_operations  # noqa: E402
from kneeoa.network.model import ModelSpec, build  # noqa: E402
from kneeoa.training.augmentation import draw_augmentation  # noqa: E402
from kneeoa.training.device import peak_memory_mb, reproducible  # noqa: E402
from kneeoa.training.engine import Engine  # noqa: E402
from kneeoa.training.optimizer import make_optimiser  # noqa: E402


def spec_of(study: Study, arm: Arm) -> ModelSpec:
    """The network of an arm, with fresh weights."""
    backbone, shape = study.backbones[arm.backbone], study.input_shape(arm)
    plugin = None if arm.plugin is None else study.plugins[arm.plugin].model_dump(mode="json", exclude={"pretrained"})
    return ModelSpec(
        backbone=backbone.kind,
        options={key: value for key, value in backbone.options.items() if key != "weights"},
        dimensions=len(shape),
        shape=shape,
        crop=arm.training.crop,
        mode=study.modes[arm.mode],
        levels=study.levels_of(arm.mode),
        plugin=plugin,
    )


def measure(study: Study, arm: Arm, steps: int, threads: int) -> dict[str, Any]:
    """Seconds of a step and megabytes at its peak, and the estimate of them."""
    spec, training = spec_of(study, arm), arm.training
    batch, rows = training.batch, np.arange(training.batch)
    labels = {
        level.name: torch.randint(
            0, 2 if not level.exclusive else len(level.classes), (batch,) if level.exclusive else (batch, len(level.classes))
        )
        for level in spec.levels
        if level.name in spec.mode.levels
    }
    with reproducible(threads) as device:
        images = torch.randn((batch, 1, *spec.shape), device=device).half()
        labels = {name: values.to(device) for name, values in labels.items()}
        augment = draw_augmentation(training.augmentation, batch, spec.shape, 1, 1, crop=spec.crop)
        kind = "device" if device.type == "cuda" else "process"
        before = 0.0 if kind == "device" else peak_memory_mb(device)["process"]
        network = build(spec).to(device).train()
        engine, optimiser = Engine(network, training, device), make_optimiser(network.parameters(), training)

        def step() -> None:
            engine.gradients(images, labels, list(range(batch)), 0, lambda some, part: augment(some, rows[part]))
            optimiser.step()
            if kind == "device":
                torch.cuda.synchronize()

        step()
        begun = time.perf_counter()
        for _ in range(steps):
            step()
        seconds = (time.perf_counter() - begun) / steps
        measured = peak_memory_mb(device)[kind] - before
    figures = {"seconds": round(seconds, 3), "memory_mb": round(measured), "micro_batch": engine.micro_batch or batch}
    estimate = memory_and_operations(study, arm)
    if estimate is None:
        return figures
    memory, operations = estimate
    return figures | {"estimate_mb": round(memory), "ratio": round(measured / memory, 2), "tflops": round(operations / seconds / 1e12, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configuration", type=Path, nargs="?", default=ROOT / "workflow" / "studies" / "plugin.yaml")
    parser.add_argument("--steps", type=int, default=3, help="steps that are timed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--arm", help="measure this one, in this process")
    options = parser.parse_args()
    study = load(yaml.safe_load(options.configuration.read_text(encoding="utf-8")))
    if options.arm is not None:
        arm = next(arm for arm in study.arms_table() if arm.name == options.arm)
        print(json.dumps(measure(study, arm, options.steps, options.threads)))
        return
    figures = {}
    for arm in study.arms_table():
        command = [sys.executable, __file__, *sys.argv[1:], "--arm", arm.name]
        figures[arm.name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        print(arm.name, figures[arm.name], flush=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
