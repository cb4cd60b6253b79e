"""Packed runs: what the profile asks for, the same DAG as without it, and a finished run that can
be asked again for nothing.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kneeoa.training import checkpoint, run
from tests.dag import ROOT, snakemake
from tests.training.killed import RESULTS, results
from tests.unit.training import tiny_study


def profile(name: str) -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "profiles" / name / "profile.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_the_profile_adds_to_the_slurm_profile_and_takes_the_place_of_the_gres_one() -> None:
    packed = profile("slurm-packed")
    assert profile("slurm").keys() & packed.keys() == set()
    for rule, asks in profile("slurm-gres")["set-resources"].items():
        assert packed["set-resources"][rule].items() >= asks.items()


def test_a_pack_asks_for_its_gpu_in_words_that_do_not_add_up() -> None:
    asks = profile("slurm-packed")["set-resources"]["train_run"]
    assert asks["gpu"] == 0
    assert isinstance(asks["gres"], str)


def test_every_packed_run_is_still_an_instance_of_its_rule(tmp_path: Path) -> None:
    """Reruns are decided run by run; only who shares a job is decided for a pack."""
    profiles = [word for name in ("slurm", "slurm-packed") for word in ("--profile", str(ROOT / "profiles" / name))]
    done = snakemake(tmp_path, "train", "-n", "-s", str(ROOT / "Snakefile"), "--configfile", str(ROOT / "tests/small.yaml"), *profiles)
    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.findall(r"^ +rule train_run:\n(?:.*\n)+?.* wildcards: (.*)$", done.stdout + done.stderr, re.M)
    arms = ("resnet3d-single-oa", "resnet3d-single-kl", "resnet3d-dual", "m3t-dual")
    assert sorted(runs) == sorted(f"arm={arm}, seed={seed}" for arm in arms for seed in (1, 2))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tiny_study.Files:
    return tiny_study.make(tmp_path_factory.mktemp("study"))


def test_a_finished_run_whose_results_are_taken_away_is_made_again_without_a_step(files: tiny_study.Files, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    job = tiny_study.job(files, tmp_path, keep_state=True, on_step=lambda epoch, step: steps.append((epoch, step)))
    run.train(**job)
    first, taken = results(tmp_path), len(steps)
    assert taken > 0
    assert set(first) == set(RESULTS)
    for name in (*RESULTS, "run.json"):
        (tmp_path / name).unlink()
    run.train(**job)
    assert results(tmp_path) == first
    assert len(steps) == taken
    assert (tmp_path / checkpoint.NAME).is_file()


def test_a_run_that_is_not_packed_leaves_no_state(files: tiny_study.Files, tmp_path: Path) -> None:
    run.train(**tiny_study.job(files, tmp_path / "apart"))
    run.train(**tiny_study.job(files, tmp_path / "packed", keep_state=True))
    assert not (tmp_path / "apart" / checkpoint.NAME).exists()
    assert results(tmp_path / "apart") == results(tmp_path / "packed")
