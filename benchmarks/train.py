"""Time training: the same network, knees and steps by the published loop and by ours.

    python benchmarks/train.py [--knees N] [--epochs N] [--rounds N]

The plain loop decodes, z-scores and resizes every NIfTI file in every epoch (in a DataLoader's
workers, one a core) and trains in float32; ours trains from float16 shards made once, resident in
memory and streamed from the disk. ResNet3D-18 at its published width, batch 2: on CPU cores at a
small size, on a GPU at 160x256x256 in bfloat16. The loops take turns, each in a process of its own;
times are the best epoch but the first, wall time, and beside it processor time of all threads and
workers. The first losses must agree, else this stops. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "lib"))

import torch
from train_loops import FILE, make_files, make_shard

LOOPS = {"plain": "plain loop", "resident": "ours, resident", "streamed": "ours, streamed"}
SMALL, FULL = (40, 64, 64), (160, 256, 256)


def child(script: str, *arguments: Any) -> dict[str, Any]:
    """A benchmark script in a process of its own, and the JSON object that it prints."""
    command = [sys.executable, str(Path(__file__).parent / script), *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(folder: Path, shape: tuple[int, ...], epochs: int, rounds: int, threads: int) -> dict[str, list[dict[str, Any]]]:
    """Every loop's results, round after round."""
    results: dict[str, list[dict[str, Any]]] = {loop: [] for loop in LOOPS}
    for _ in range(rounds):
        for loop in LOOPS:
            results[loop].append(child("train_loops.py", loop, folder, "--shape", *shape, "--epochs", epochs, "--threads", threads))
    return results


def check_same(by_loop: dict[str, list[dict[str, Any]]], tolerance: float) -> None:
    """Raise AssertionError unless all loops had about the same mean loss in their first epoch,
    which begins from the same weights.
    """
    first = {loop: results[0]["losses"][0] for loop, results in by_loop.items()}
    if max(first.values()) - min(first.values()) > tolerance * min(first.values()) or first["resident"] != first["streamed"]:
        raise AssertionError(f"the loops did not learn the same: first losses {first}")


def best(results: list[dict[str, Any]]) -> tuple[float, float]:
    """Seconds of the best epoch but the first, and its share of waiting for data."""
    epochs = [(seconds, wait) for each in results for seconds, wait in zip(each["seconds"][1:], each["waits"][1:], strict=True)]
    seconds, wait = min(epochs)
    return seconds, wait / seconds


def least_processor(results: list[dict[str, Any]]) -> float:
    """Least processor seconds of an epoch but the first: a busy machine hardly changes them."""
    return min(seconds for each in results for seconds in each["processor"][1:])


def name_of_device() -> str:
    """The GPU, or the processor and the cores used."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpu = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")] if cpu.exists() else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Make the files, take turns, print the table and the JSON line."""
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--knees", type=int, default=32 if gpu else 6, help="knees in the training set")
    parser.add_argument("--epochs", type=int, default=3 if gpu else 2, help="epochs of each loop in each round, the first not counted")
    parser.add_argument("--rounds", type=int, default=2, help="how often the loops take turns")
    parser.add_argument("--threads", type=int, default=8 if gpu else 2, help="of the arithmetic, and workers of the plain loop")
    options = parser.parse_args()
    shape = FULL if gpu else SMALL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder, options.knees)
        made = make_shard(folder, shape)
        results = compare(folder, shape, options.epochs, options.rounds, options.threads)
        check_same(results, 0.05 if gpu else 0.01)  # bfloat16 rounds to three digits
    device = name_of_device()
    size = "x".join(map(str, shape))
    print(f"ResNet3D-18 at {size}, {options.knees} knees from NIfTI files of {'x'.join(map(str, FILE))}, batch 2, {device},")
    load = f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{options.threads} threads; best of {options.rounds * (options.epochs - 1)} epochs; {load}\n")
    print(
        f"{'':18s}{'s an epoch':>12s}{'processor s':>13s}{'knees a s':>11s}{'waiting':>9s}{'peak MB':>9s}{'GPU MB':>8s}{'first loss':>12s}"
    )
    for loop, title in LOOPS.items():
        seconds, waiting = best(results[loop])
        first = results[loop][0]
        wait = "" if loop == "plain" else f"{waiting:.2%}"
        on_device = "" if first["device_mb"] is None else f"{first['device_mb']:.0f}"
        row = f"{title:18s}{seconds:12.2f}{least_processor(results[loop]):13.2f}{options.knees / seconds:11.2f}{wait:>9s}"
        print(row + f"{first['peak_mb']:9.0f}{on_device:>8s}{first['losses'][0]:12.4f}")
    plain, resident, streamed = (best(results[loop]) for loop in LOOPS)
    figures: dict[str, Any] = {
        "epoch_speedup_over_plain_loop": plain[0] / resident[0],
        "epoch_speedup_streamed": plain[0] / streamed[0],
        "processor_time_ratio": least_processor(results["plain"]) / least_processor(results["resident"]),
        "data_wait_share": max(resident[1], streamed[1]),
        "peak_mb": max(each["peak_mb"] for loop in ("resident", "streamed") for each in results[loop]),
        "device": device,
        "shape": list(shape),
    }
    goal = 10 if gpu else 2
    print(f"\nshards of these knees, made once for all epochs, arms and seeds: {made:.1f} s")
    print(f"times faster than the plain loop: {figures['epoch_speedup_over_plain_loop']:.2f} (goal: at least {goal})")
    print(f"share of an epoch spent waiting for data: {figures['data_wait_share']:.2%} (goal: below 2 %)")
    if gpu:
        measured = child("train_gpu.py")
        figures |= measured
        matrices = f"share of the measured bf16 matrix rate ({measured['matrix_tflops']:.0f} TFLOP/s)"
        print(f"{matrices}: {measured['share_of_matrix_rate']:.1%} (goal: 40 %)")
        hours = f"{measured['study_hours_one_gpu']:.0f} hours on one such GPU, {measured['study_hours_eight_gpus']:.0f} on eight"
        print(f"the whole coarse2fine study, {measured['study_runs']} runs: {hours}")
    print(json.dumps({name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}))


if __name__ == "__main__":
    main()
