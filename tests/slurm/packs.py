"""Four small runs in a tree where all is ready for training: made one by one on this machine, apart
through SLURM, or packed.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tests.dag import ROOT, copy_tree, snakemake
from tests.slurm.cluster import Cluster
from tests.slurm.one_run import COMPARED, CONFIGURATION

PACKED = ("--profile", "profiles/slurm-packed")
SEEDS = (1, 2, 3, 4)
PACK = "pack.yaml"
RUNS = Path("results/pack/runs")
ARM = "resnet3d-single-oa"


def study(epochs: int) -> dict[str, Any]:
    """The study of one run, with four seeds."""
    settings: dict[str, Any] = yaml.safe_load((ROOT / CONFIGURATION).read_text())
    settings |= {"study": "pack", "seeds": list(SEEDS)}
    settings["training"] |= {"epochs": epochs}
    settings["resources"]["train"] |= {"memory_mb": 900}  # twice as much for each of four members must still fit the private node
    return settings


def ready(folder: Path, epochs: int) -> Path:
    """A copy of the working tree with the study's configuration, in which all that training needs
    has been made.
    """
    copy_tree(folder)
    (folder / PACK).write_text(yaml.safe_dump(study(epochs), sort_keys=False))
    _local(folder, "volumes")
    return folder


def apart(tree: Path, folder: Path) -> dict[str, bytes]:
    """The results of the runs when this machine makes them one by one, in a copy of the ready
    tree.
    """
    shutil.copytree(tree, folder, symlinks=True)
    _local(folder, "train")
    return results(folder)


def results(folder: Path) -> dict[str, bytes]:
    """The files of all runs that do not tell how long something took."""
    return {f"{seed}/{name}": (folder / RUNS / ARM / f"seed-{seed}" / name).read_bytes() for seed in SEEDS for name in COMPARED}


@dataclass(frozen=True)
class Held:
    """The time for which a job of SLURM held what it was given."""

    number: int
    gpus: int
    begun: datetime
    ended: datetime

    @property
    def gpu_seconds(self) -> float:
        """GPUs times seconds."""
        return self.gpus * (self.ended - self.begun).total_seconds()


def held(cluster: Cluster) -> list[Held]:
    """All jobs of rule train_run that have ended, packs among them."""
    gpus = {job.number: job.gpus for job in cluster.jobs() if "train_run" in job.comment}
    packs = []
    for line in cluster.client("scontrol", "--oneliner", "show", "job").splitlines():
        words = dict(re.findall(r"\b(JobId|StartTime|EndTime)=(\S+)", line))
        number = int(words.get("JobId", -1))  # a controller without jobs says so in a sentence
        if number in gpus:
            begun, ended = (datetime.fromisoformat(words[name]) for name in ("StartTime", "EndTime"))
            packs.append(Held(number, gpus[number], begun, ended))
    return packs


def _local(folder: Path, target: str) -> None:
    done = snakemake(folder, target, "--cores", "1", "--configfile", PACK)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
