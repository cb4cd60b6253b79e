"""Four small runs through a real SLURM, each in a job of its own and packed into one: jobs, time,
GPU time held, and equal results.

`python benchmarks/packing.py [--epochs 12]` starts a private one-machine SLURM with two declared
GPUs (no GPU is used: training is on the CPU), as the tests do. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "lib")]

from tests.slurm.cluster import Cluster, missing  # noqa: E402  # the private SLURM of the tests
from tests.slurm.packs import PACK, PACKED, held, ready, results  # noqa: E402
from tests.slurm.run import through_slurm  # noqa: E402


def measure(cluster: Cluster, tree: Path, folder: Path, *profile: str) -> tuple[dict[str, float], dict[str, bytes]]:
    """Figures of one way to train the four runs, and what the runs are."""
    shutil.copytree(tree, folder, symlinks=True)
    before = {job.number for job in held(cluster)}
    start = time.perf_counter()
    status, output = through_slurm(cluster, folder, "train", *profile, "--configfile", PACK)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(output[-6000:])
    jobs = [job for job in held(cluster) if job.number not in before]
    gpu_seconds = sum(job.gpu_seconds for job in jobs)
    return {"jobs": len(jobs), "wall_s": round(seconds, 1), "gpu_s": round(gpu_seconds, 1)}, results(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    if absent := missing():
        raise SystemExit(f"SLURM is not installed here: no {', '.join(absent)} (Debian: slurmctld slurmd slurm-client munge).")
    # Short: a socket's path may hold about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="slurm-") as name, tempfile.TemporaryDirectory() as scratch:
        Path(name).chmod(0o755)
        tree = ready(Path(scratch) / "tree", options.epochs)
        cluster = Cluster(Path(name))
        try:
            cluster.start()
            apart, ones = measure(cluster, tree, Path(scratch) / "apart")
            packed, others = measure(cluster, tree, Path(scratch) / "packed", *PACKED)
        finally:
            cluster.stop()
    for label, figures in (("apart", apart), ("packed", packed)):
        print(f"{label:8s} {figures['jobs']} jobs, all done after {figures['wall_s']} s, a GPU held for {figures['gpu_s']} s")
    if ones != others:
        raise SystemExit("The runs differ: " + ", ".join(name for name in ones if ones[name] != others[name]))
    print("the runs' files are the same, byte for byte")
    print(json.dumps({f"{label}_{key}": value for label, way in (("apart", apart), ("packed", packed)) for key, value in way.items()}))


if __name__ == "__main__":
    main()
