"""The share of chosen locations on tissues against 50 shifts, on random masks; the shifts against
moving the whole map once for each.

`python benchmarks/selections.py [--cases 400] [--volumes 8]`. Films of 384 pixels with the maps of
a ResNet-50, volumes of 160 x 256 x 256 with those of a ResNet3D-18; 32 locations of each map, two
groups of tissues. Seconds are the processor's. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "lib")]

from kneeoa.anatomy.nulls import random_shifts  # noqa: E402
from kneeoa.anatomy.selection_shares import measure_selections, shifted_mean  # noqa: E402
from kneeoa.config.analysis import Anatomy  # noqa: E402
from kneeoa.tables.selections import SELECTIONS  # noqa: E402
from kneeoa.tables.shards import MASKS  # noqa: E402

FILMS = 17040
"""Cases of the external cohort of paper C."""
TISSUES = {"made": {"femur": (1,), "joint_space": (2,), "tibia": (3,)}}
ANATOMY = Anatomy(targets={"joint": ("joint_space",), "bone": ("femur", "tibia")}, shifts=50)
IMAGES: dict[str, dict[str, Any]] = {
    "films": {"shape": (384, 384), "grids": [(96, 96), (48, 48), (24, 24), (12, 12)]},
    "volumes": {"shape": (160, 256, 256), "grids": [(40, 64, 64), (20, 32, 32), (20, 32, 32), (20, 32, 32)]},
}
CHOSEN = 32


def write(folder: Path, shape: tuple[int, ...], grids: list[tuple[int, ...]], cases: int) -> None:
    """Random masks, a tenth of them tissue, and random selections of as many cases."""
    rng = np.random.default_rng(0)
    masks = np.lib.format.open_memmap(folder / "masks.npy", mode="w+", dtype=np.uint8, shape=(cases, *shape))
    rows = []
    for case in range(cases):
        masks[case] = (rng.random(shape, dtype=np.float32) < 0.1) * rng.integers(1, 4, shape, dtype=np.uint8)
        identity = {
            "study": "s",
            "arm": "a",
            "seed": 1,
            "cohort": "made",
            "case_id": f"c{case:06d}",
            "subject": f"p{case // 6}",
            "view": "v",
        }
        for number, grid in enumerate(grids, 1):
            cells = int(np.prod(grid))
            chosen = {"chosen": rng.choice(cells, CHOSEN, replace=False), "scores": rng.random(CHOSEN, dtype=np.float32), "score_map": None}
            rows.append(identity | chosen | {"level": "kl", "map": f"map-{number}", "locations": cells, "grid": list(grid), "before": 0})
    masks.flush()
    judged = {"inside": 1.0, "contrast": 1.0, "cartilage_mm3": 1.0, "cartilage_thickness_mm": 1.0, "flags": [], "usable": True}
    shared = {"cohort": "made", "view": "v", "shard": 0, "digest": "", "source_digest": ""}
    MASKS.write(folder / "masks.parquet", [shared | judged | {"case_id": f"c{case:06d}", "row": case} for case in range(cases)])
    SELECTIONS.write(folder / "selections.parquet", pd.DataFrame(rows))


def measure(shape: tuple[int, ...], grids: list[tuple[int, ...]], cases: int) -> float:
    """Seconds a case for all maps and tissues, reading its mask among them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write(folder, shape, grids, cases)
        files: dict[str, Any] = {"mask_arrays": [folder / "masks.npy"], "mask_indices": [folder / "masks.parquet"]}
        start = time.process_time()
        measure_selections(selections=folder / "selections.parquet", **files, tissues=TISSUES, anatomy=ANATOMY, out=folder / "out.parquet")
        return (time.process_time() - start) / cases


def shifts(grid: tuple[int, ...], repeats: int = 5) -> tuple[float, float]:
    """Seconds for the shift null of one map and tissue, ours and by moving the map for each
    shift.
    """
    rng = np.random.default_rng(1)
    share, places = rng.random(grid), rng.choice(int(np.prod(grid)), CHOSEN, replace=False)
    moved = random_shifts(grid, ANATOMY.shifts, rng)
    start = time.process_time()
    ours = [shifted_mean(share, places, moved) for _ in range(repeats)]
    middle = time.process_time()
    distribution = np.zeros(share.size)
    distribution[places] = 1 / CHOSEN
    by_roll = []
    for _ in range(repeats):
        offsets = np.stack(np.unravel_index(moved, grid), axis=1)
        rolled = [np.roll(distribution.reshape(grid), tuple(offset), tuple(range(len(grid)))) for offset in offsets]
        by_roll.append(np.mean([np.vdot(each, share) for each in rolled]))
    end = time.process_time()
    assert abs(ours[0] - by_roll[0]) < 1e-9
    return (middle - start) / repeats, (end - middle) / repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--volumes", type=int, default=8)
    arguments = parser.parse_args()
    results: dict[str, float] = {}
    for (name, image), cases in zip(IMAGES.items(), (arguments.cases, arguments.volumes), strict=True):
        results[f"{name}_ms"] = round(1000 * measure(image["shape"], image["grids"], cases), 2)
        ours, moved = shifts(image["grids"][0])
        results[f"{name}_shifts_ms"], results[f"{name}_ratio"] = round(1000 * ours, 3), round(moved / ours, 1)
        print(name, {key: value for key, value in results.items() if key.startswith(name)}, flush=True)
    results["minutes_of_all_films"] = round(results["films_ms"] * FILMS / 60000, 1)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
