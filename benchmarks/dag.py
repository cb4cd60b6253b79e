"""Time Snakemake's planning of a study of ten thousand knees and of the full-size study of
plug-ins, and the figures of a finished study.

`python benchmarks/dag.py [--knees 10000] [--parts plan plugin figures] [--runs 60 200]` makes a raw
tree of empty image files in a temporary folder (one archive per series, as the image archive
delivers them), plans the study of 5 backbones, 4 modes and 10 seeds on it, pretends that everything
has been made, and asks again. It plans `workflow/studies/plugin.yaml` on placeholders of its inputs
(4,796 people of OAI, 17,040 films of 3,026 people of MOST). Then it makes two studies whose
predictions are finished, of 60 and of 200 runs, and draws their figures with `snakemake figures`
(`figure_time.py`). The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "lib")]

from figure_time import DESIGNS, figure_times, study_of  # noqa: E402

from tests.dag import copy_tree  # noqa: E402  # the tree of a clone, as the tests use it
from tests.plugin_inputs import make_plugin_inputs  # noqa: E402

LEVELS = [
    {"name": "oa", "kind": "binary", "classes": ["no OA", "OA"]},
    {"name": "kl", "kind": "ordinal", "classes": [f"KL {k}" for k in range(5)], "parent": "oa", "parent_class": [0, 0, 1, 1, 1]},
]
BACKBONES = {
    "resnet3d": {"kind": "resnet3d"},
    "resnet3d_wide": {"kind": "resnet3d", "options": {"width": 96}},
    "m3t": {"kind": "m3t"},
    "nnmamba": {"kind": "nnmamba"},
    "densenet121": {"kind": "densenet121"},
}
MODES = {
    "single_oa": {"kind": "single", "levels": ["oa"]},
    "single_kl": {"kind": "single", "levels": ["kl"]},
    "dual": {"kind": "dual", "levels": ["oa", "kl"]},
    "dual_stacked": {"kind": "dual_stacked", "levels": ["oa", "kl"]},
}


def raw_tree(root: Path, knees: int) -> None:
    """OAI's tables and one empty image file per knee, two knees a person."""
    (root / "00m").mkdir(parents=True)
    contents = ["Folder,ParticipantID,StudyDate,Barcode,StudyDescription,SeriesDescription"]
    grades = ["ID|SIDE|READPRJ|VERSION|V00BARCDBU|V00XRKL"]
    for index in range(knees):
        subject, side = f"9{index // 2:06d}", ("LEFT", "RIGHT")[index % 2]
        folder = f"0.E.1/{subject}/20050101/1{index:07d}"
        contents.append(f"{folder},{subject},20050101,1{index:07d},OAI^MR^ENROLLMENT^{side},SAG_3D_DESS_{side}")
        grades.append(f"{subject}|{2 - index % 2}: {side.title()}|15|0|01{index:06d}|{index % 5}")
        (root / "00m" / folder).mkdir(parents=True)
        (root / "00m" / folder / "image.nii.gz").touch()
    (root / "00m" / "contents.csv").write_text("\n".join(contents) + "\n")
    (root / "kxr_sq_bu00.txt").write_text("\n".join(grades) + "\n")


def study(root: Path, seeds: int) -> dict[str, object]:
    """The study of ten thousand knees; 3D networks at the published sizes."""
    return {
        "study": "ten_thousand",
        "title": "Ten thousand knees",
        "question": "How long does Snakemake think?",
        "levels": LEVELS,
        "cohorts": {
            "oai": {
                "role": "develop",
                "reader": "oai",
                "root": str(root),
                "views": ["sag_dess"],
                "tissues": {"femoral_cartilage": [2], "tibial_cartilage": [4], "femur": [1], "tibia": [3]},
                "shards": 64,
                "split": {"method": "stratified", "stratify": "kl", "val": 0.1, "test": 0.2, "seed": 0},
            }
        },
        "views": {"sag_dess": {"dimensions": 3, "shape": [160, 256, 256], "spacing": [0.7, 0.547, 0.547]}},
        "grids": {"cube": {"shape": [128, 128, 128]}},
        "backbones": BACKBONES,
        "modes": MODES,
        "training": {"epochs": 100, "batch": 2, "learning_rate": 1e-4, "precision": "bfloat16"},
        "arms": [
            {"backbone": [name for name in BACKBONES if name != "m3t"], "mode": list(MODES)},
            {"backbone": "m3t", "mode": list(MODES), "grid": "cube"},
        ],
        "seeds": list(range(1, seeds + 1)),
        "statistics": {
            "contrasts": [
                {"name": "oa", "level": "oa", "candidate": "dual", "reference": "single_oa", "tests": {"auc": ["delong"]}},
                {"name": "kl", "level": "kl", "candidate": "dual", "reference": "single_kl", "tests": {"macro_auc": ["delong"]}},
            ],
            "families": [{"name": "primary", "adjust": "holm", "tests": ["delong"]}],
        },
        "anatomy": {"targets": {"cartilage": ["femoral_cartilage", "tibial_cartilage"]}},
    }


def snakemake(folder: Path, config: Path, *arguments: str, cores: int = 1) -> tuple[str, float, float]:
    """Output, seconds and peak resident megabytes of one invocation."""
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SNAKEMAKE_PROFILE"}}
    environment["KNEEOA_COPIED"] = "known"  # empty files do not say what they were made from
    command = [sys.executable, "-m", "snakemake", *arguments, "--cores", str(cores), "--configfile", str(config)]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        output.seek(0)
        text = output.read()
    if status:
        raise SystemExit(text[-4000:])
    return text, seconds, usage.ru_maxrss / 1024


def jobs_of(text: str) -> int:
    """The total of a dry run's job table."""
    totals = re.findall(r"^total\s+(\d+)", text, re.M)
    return int(totals[0]) if totals else 0


def finish(folder: Path, config: Path) -> None:
    """Put an empty file where every output should be, all of one age, and let Snakemake take them
    for its own.
    """
    text, _, _ = snakemake(folder, config, "--summary")
    outputs = [line.split("\t")[0] for line in text.splitlines() if line.startswith("results/")]
    now = time.time()
    for name in outputs:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (now, now))
    snakemake(folder, config, "--touch", "--quiet", "all")


def plan(knees: int, seeds: int) -> dict[str, float]:
    """Dry run and no-op invocation of the large study."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = copy_tree(Path(scratch) / "clone")
        raw = Path(scratch) / "raw"
        raw_tree(raw, knees)
        config = Path(scratch) / "study.yaml"
        config.write_text(yaml.safe_dump(study(raw, seeds), sort_keys=False))
        what = f"{knees} knees, {len(BACKBONES)} backbones, {len(MODES)} modes, {seeds} seeds"
        figures: dict[str, float] = {}
        for name in ("first", "second"):
            text, seconds, megabytes = snakemake(folder, config, "-n", "--quiet", "rules")
            figures = {"jobs": jobs_of(text), "dry_run_s": round(seconds, 2), "dry_run_mb": round(megabytes)}
            print(f"{name} dry run of {what}: {figures['jobs']} jobs, {seconds:.1f} s, {megabytes:.0f} MB", flush=True)
        finish(folder, config)
        text, seconds, megabytes = snakemake(folder, config)
        if "Nothing to be done" not in text:
            raise SystemExit(text[-4000:])
        print(f"nothing to do: {seconds:.1f} s, {megabytes:.0f} MB")
        return figures | {"noop_s": round(seconds, 2)}


def plan_plugin() -> dict[str, float]:
    """Dry run of the full-size study of plug-ins."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = copy_tree(Path(scratch) / "clone")
        os.environ |= make_plugin_inputs(Path(scratch) / "raw")
        measured: dict[str, float] = {}
        for name in ("first", "second"):
            text, seconds, megabytes = snakemake(folder, folder / "workflow" / "studies" / "plugin.yaml", "-n", "--quiet", "rules")
            measured = {"plugin_jobs": jobs_of(text), "plugin_dry_run_s": round(seconds, 2), "plugin_dry_run_mb": round(megabytes)}
            print(f"{name} dry run of plugin.yaml: {measured['plugin_jobs']} jobs, {seconds:.1f} s, {megabytes:.0f} MB", flush=True)
        return measured


def figures(runs: int) -> dict[str, float]:
    """Seconds of `snakemake figures` on the finished study of so many runs."""
    design = DESIGNS[runs]
    with tempfile.TemporaryDirectory() as scratch:
        folder, raw = copy_tree(Path(scratch) / "clone"), Path(scratch) / "raw"
        raw_tree(raw, design.knees)
        published = yaml.safe_load((ROOT / "workflow" / "studies" / "coarse2fine.yaml").read_text())
        return figure_times(runs, folder, study_of(design, study(raw, design.seeds), published), finish, snakemake)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--knees", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--runs", type=int, nargs="+", choices=list(DESIGNS), default=list(DESIGNS), help="of the studies whose figures are drawn"
    )
    parser.add_argument("--parts", nargs="+", choices=["plan", "plugin", "figures"], default=["plan", "plugin", "figures"])
    options = parser.parse_args()
    measured = plan(options.knees, options.seeds) if "plan" in options.parts else {}
    if "plugin" in options.parts:
        measured |= plan_plugin()
    for runs in options.runs if "figures" in options.parts else ():
        measured |= figures(runs)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
