"""Selective scan: seconds and memory of each way that this machine has, forward and backward;
against the plain recurrence where short.

Usage: python benchmarks/scan.py [--lengths 4096 32768 262144] [--threads 2]
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "lib"))

import torch

from kneeoa.backbones import scan_torch, selective_scan

CHANNELS, STATES = 64, 8
"""NnMamba's."""
RECURRENCE = 4096
"""Longest sequence that the plain recurrence is run on."""


def ways(device: str) -> dict[str, Callable[..., torch.Tensor]]:
    """The scans that device and installed packages allow."""
    scans: dict[str, Callable[..., torch.Tensor]] = {"torch": lambda *given: selective_scan.chunked_scan(*given, scan_torch)}
    steps = selective_scan._steps(device)
    if steps is not scan_torch:
        scans["triton"] = lambda *given: selective_scan.chunked_scan(*given, steps)
    if device == "cuda" and selective_scan._mamba_ssm() is not None:
        scans["mamba_ssm"] = selective_scan.selective_scan
    return scans


def inputs(length: int, device: str) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(length)
    x = torch.randn(1, length, CHANNELS, generator=generator)
    delta = torch.nn.functional.softplus(torch.randn(1, length, CHANNELS, generator=generator) - 2)
    rates = -torch.arange(1.0, STATES + 1).repeat(CHANNELS, 1)
    entry, readout = (torch.randn(1, length, STATES, generator=generator) for _ in range(2))
    return [each.to(device).requires_grad_() for each in (x, delta, rates, entry, readout, torch.ones(CHANNELS))]


def seconds(work: Callable[[], torch.Tensor | None], device: str) -> tuple[torch.Tensor | None, float]:
    if device == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    result = work()
    if device == "cuda":
        torch.cuda.synchronize()
    return result, time.perf_counter() - started


def peak_mb(device: str) -> float:
    """Most memory so far: of the device, or of this process."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[4096, 32768, 262144])
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else f"{platform.processor() or platform.machine()}, {given.threads} threads"
    print(f"{name}; {CHANNELS} channels, {STATES} states, batch 1, float32\n")
    print(f"{'way':>10} {'length':>9} {'forward s':>10} {'backward s':>11} {'peak MB':>9} {'largest difference':>19}")
    rows = []
    for length in sorted(given.lengths):
        reference = (
            selective_scan.selective_scan_reference(*(each.detach() for each in inputs(length, device))) if length <= RECURRENCE else None
        )
        for way, scan in ways(device).items():
            arguments = inputs(length, device)
            if device == "cuda":
                seconds(lambda scan=scan, arguments=arguments: scan(*arguments), device)  # compiles
                torch.cuda.reset_peak_memory_stats()
            y, forward = seconds(lambda scan=scan, arguments=arguments: scan(*arguments), device)
            assert y is not None
            _, backward = seconds(lambda y=y: y.sum().backward(), device)
            apart = None if reference is None else float((y.detach() - reference).abs().max() / reference.abs().max())
            row = {"way": way, "length": length, "forward_s": round(forward, 4), "backward_s": round(backward, 4)}
            rows.append({**row, "peak_mb": round(peak_mb(device)), "relative_difference": apart})
            shown = "-" if apart is None else f"{apart:.1e}"
            print(f"{way:>10} {length:>9} {forward:>10.3f} {backward:>11.3f} {peak_mb(device):>9.0f} {shown:>19}", flush=True)
    print()
    print(json.dumps({"device": name, "scans": rows}))


if __name__ == "__main__":
    main()
