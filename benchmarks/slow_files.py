"""Measure planning on a slow shared file system: the calls of a dry run of ten thousand knees, and
its time where each takes longer.

`python benchmarks/slow_files.py [--knees 10000] [--latency 0.001 0.005]` plans the study of
benchmarks/dag.py in processes whose calls on the raw images, the clone and the results wait before
they are answered, as a file server far away, or busy, answers. The first dry run has never seen the
raw files; a later one knows them. Network file systems keep for some seconds what they answered, so
a real one is faster than this. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.dag import raw_tree, study  # noqa: E402  # the same study and the same raw files
from tests.dag import copy_tree  # noqa: E402  # the tree of a clone, as the tests use it

SITE = "import benchmarks.watched_calls\n\nbenchmarks.watched_calls.watch()\n"


def dry_run(folder: Path, config: Path, watched: list[Path], scratch: Path, latency: float) -> dict[str, float | dict[str, int]]:
    """Seconds, processor seconds and calls of one dry run."""
    site, counts = scratch / "site", scratch / "counts.json"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(SITE)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(site), str(ROOT))),
        "KNEEOA_WATCHED": os.pathsep.join(map(str, watched)),
        "KNEEOA_LATENCY": str(latency),
        "KNEEOA_COUNTS": str(counts),
    }
    environment.pop("SNAKEMAKE_PROFILE", None)
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--cores", "1", "--configfile", str(config)]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit((done.stdout + done.stderr)[-4000:])
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"s": round(seconds, 1), "cpu_s": round(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime, 1), "calls": _calls(counts)}


def _calls(counts: Path) -> dict[str, int]:
    numbers: dict[str, int] = json.loads(counts.read_text())
    return dict(sorted(numbers.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--knees", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.001, 0.005])
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folder, raw, config = copy_tree(scratch / "clone"), scratch / "raw", scratch / "study.yaml"
        raw_tree(raw, options.knees)
        config.write_text(yaml.safe_dump(study(raw, options.seeds), sort_keys=False))
        for label, latency in [("first", 0.0), ("later", 0.0), *((f"later, {1000 * each:g} ms", each) for each in options.latency)]:
            figures[label] = dry_run(folder, config, [folder, raw], scratch, latency)
            print(f"{label:14s} {json.dumps(figures[label])}", flush=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
