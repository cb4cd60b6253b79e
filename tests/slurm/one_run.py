"""One training run: undisturbed, and held in its middle by tests that disturb it there."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kneeoa.training.checkpoint import NAME
from tests.dag import ROOT, copy_tree, snakemake

CONFIGURATION = "tests/slurm/one_run.yaml"
RUN = Path("results/one_run/runs/resnet3d-single-oa/seed-1")
LOG = Path("results/one_run/logs/train_run/resnet3d-single-oa-seed-1.log")
WEIGHTS = str(RUN / "weights.safetensors")
TARGET = (WEIGHTS, "--configfile", CONFIGURATION)
COMPARED = ("weights.safetensors", "model.json", "history.parquet")
MIDDLE, HOLD, LATE = "middle", "hold", "late"
"""Files in the folder of a run: it has come to its middle; it waits there as long as there is such
a file; there, once, its clock goes two hours ahead.
"""
HELD = f"""
import time
from types import SimpleNamespace

from kneeoa.training import checkpointing


def on_step(epoch, step):
    if epoch == 5:
        Path("{MIDDLE}").touch()
        while Path("{HOLD}").exists():
            time.sleep(0.05)
        if Path("{LATE}").exists():
            Path("{LATE}").unlink()
            checkpointing.time = SimpleNamespace(time=lambda: time.time() + 7200, monotonic=time.monotonic)

"""


def edit_training(folder: Path, code: str) -> None:
    """Let the training script of a copied tree call a function after each step: ``code`` defines
    ``on_step``.
    """
    script = folder / "scripts" / "train_run.py"
    text = script.read_text()
    edited = text.replace("\nwith job_log(", f"{code}\nwith job_log(", 1)
    edited = edited.replace("    train(\n", "    train(\n        on_step=on_step,\n", 1)
    assert edited.count("on_step") >= 3, "the script of train_run is not as it was"
    script.write_text(edited)


@dataclass(frozen=True)
class Undisturbed:
    """A tree in which all is ready for training, and what a local run made of it."""

    tree: Path
    files: dict[str, bytes]


def undisturbed(folder: Path) -> Undisturbed:
    """Make the run in a copy of the working tree, on this machine alone, keep what it wrote and
    take it away again.
    """
    copy_tree(folder)
    edit_training(folder, HELD)
    done = snakemake(folder, WEIGHTS, "--cores", "2", "--configfile", CONFIGURATION)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    files = {name: (folder / RUN / name).read_bytes() for name in COMPARED}
    shutil.rmtree(folder / RUN)
    (folder / MIDDLE).unlink()
    return Undisturbed(folder, files)


@dataclass(frozen=True)
class Disturbed:
    """A copy of that tree, where the same run meets a fault."""

    folder: Path
    expected: Undisturbed

    def ask(self, **train: int) -> None:
        """Change what training asks of the scheduler; it changes no result."""
        study: dict[str, Any] = yaml.safe_load((ROOT / CONFIGURATION).read_text())
        study["resources"]["train"] |= train
        (self.folder / CONFIGURATION).write_text(yaml.safe_dump(study, sort_keys=False))

    def hold(self) -> None:
        """Let the run wait when it comes to its middle."""
        (self.folder / HOLD).touch()

    def let_go(self) -> None:
        """Let it go on."""
        (self.folder / HOLD).unlink()

    def put_clock_ahead(self) -> None:
        """Let the run's clock go two hours ahead in its middle, once."""
        (self.folder / LATE).touch()

    def in_the_middle(self) -> bool:
        """Whether the run has done some epochs, its state on the disk, and has many to go."""
        return (self.folder / RUN / NAME).is_file() and (self.folder / MIDDLE).is_file()

    def has_ended(self) -> bool:
        """Whether the run's last file is there."""
        return (self.folder / RUN / "run.json").is_file()

    def log(self) -> str:
        """The log of the run's last job."""
        return (self.folder / LOG).read_text()

    def resumptions(self) -> int:
        """Count how often the finished run was taken up from a state on the disk."""
        return int(json.loads((self.folder / RUN / "run.json").read_text())["resumptions"])

    def ends_in_the_same_bytes(self) -> bool:
        """Whether the run's files are those of the undisturbed one, and nothing unfinished lies
        beside them.
        """
        assert not (self.folder / RUN / NAME).exists()
        return {name: (self.folder / RUN / name).read_bytes() for name in COMPARED} == self.expected.files


def disturbed(expected: Undisturbed, folder: Path) -> Disturbed:
    """A fresh copy of the tree."""
    shutil.copytree(expected.tree, folder, symlinks=True)
    return Disturbed(folder, expected)
