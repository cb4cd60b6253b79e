"""Runs packed into one job on one GPU: side by side, with the results that they have apart, and a
failed one costs the others nothing.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from kneeoa.training.checkpoint import NAME
from tests.slurm.cluster import Cluster, Job
from tests.slurm.one_run import edit_training
from tests.slurm.packs import ARM, PACK, PACKED, RUNS, SEEDS, apart, held, ready, results
from tests.slurm.run import through_slurm
from tests.suites import LAST_RESORT

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

EPOCHS = 12
STUMBLES = 2
"""The seed whose run is killed once, in the middle, when the others have ended."""
OTHERS = [seed for seed in SEEDS if seed != STUMBLES]
STUMBLE = f"""
import os
import signal
import time


def wait(condition):
    end = time.monotonic() + {LAST_RESORT}
    while not condition():
        assert time.monotonic() < end, "the other runs do not go on"
        time.sleep(0.1)


def on_step(epoch, step):
    \"\"\"Note which epochs run beside which, wait for the others' first steps, and die once.\"\"\"
    seed = snakemake.wildcards.seed
    with open("steps.txt", "a") as stream:
        print(seed, epoch, file=stream, flush=True)
    wait(lambda: len(set(line.split()[0] for line in open("steps.txt"))) == {len(SEEDS)} or not Path("stumble").exists())
    if seed == "{STUMBLES}" and epoch == {EPOCHS // 2} and Path("stumble").exists():
        wait(lambda: all(Path("{RUNS}/{ARM}/seed-%s/run.json" % other).exists() for other in {OTHERS}))
        Path("stumble").unlink()
        os.kill(os.getpid(), signal.SIGKILL)

"""


@dataclass(frozen=True)
class Packed:
    """A pack in which a member died once: the folder, what SLURM recorded, what Snakemake said, and
    what the runs are apart.
    """

    folder: Path
    jobs: list[Job]
    output: str
    expected: dict[str, bytes]
    steps: list[tuple[int, int]]
    """Seed and epoch of every step that was taken, in that order."""


@pytest.fixture(scope="module")
def packed(slurm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    scratch = tmp_path_factory.mktemp("packed")
    folder = ready(scratch / "tree", EPOCHS)
    expected = apart(folder, scratch / "apart")
    edit_training(folder, STUMBLE)
    (folder / "stumble").touch()
    before = {job.number for job in slurm_cluster.jobs()}
    status, output = through_slurm(slurm_cluster, folder, "train", *PACKED, "--configfile", PACK)
    assert status == 0, output[-6000:]
    jobs = [job for job in slurm_cluster.jobs() if job.number not in before]
    steps = [(int(seed), int(epoch)) for seed, epoch in (line.split() for line in (folder / "steps.txt").read_text().splitlines())]
    return Packed(folder, jobs, output, expected, steps)


def test_four_runs_are_one_job_on_one_gpu_and_a_failed_one_a_second(packed: Packed) -> None:
    assert [(job.state, job.partition, job.cpus, job.gpus) for job in sorted(packed.jobs, key=lambda job: job.number)] == [
        ("FAILED", "gpu", len(SEEDS), 1),
        ("COMPLETED", "gpu", len(SEEDS), 1),
    ]
    assert {job.asked for job in packed.jobs} == {"TresPerNode=gres:gpu:1"}


def test_slurm_tells_how_long_each_pack_held_its_gpu(slurm_cluster: Cluster, packed: Packed) -> None:
    """The benchmark of packing reads this."""
    spans = {job.number: job for job in held(slurm_cluster)}
    assert [spans[job.number].gpus for job in packed.jobs] == [1, 1]
    assert all(spans[job.number].gpu_seconds > 1 for job in packed.jobs)


def test_every_run_is_still_a_job_of_its_own_rule(packed: Packed) -> None:
    counted = re.search(r"^train_run +(\d+)$", packed.output, re.M)
    assert counted
    assert int(counted[1]) == len(SEEDS)


def test_the_runs_go_on_side_by_side(packed: Packed) -> None:
    first = {seed: packed.steps.index((seed, 1)) for seed in SEEDS}
    last = {seed: packed.steps.index((seed, EPOCHS)) for seed in OTHERS}
    assert max(first.values()) < min(last.values()), "a run began when another had ended"


def test_the_results_are_those_of_runs_apart_byte_for_byte(packed: Packed) -> None:
    assert results(packed.folder) == packed.expected


def test_runs_that_had_ended_take_no_step_again_and_the_killed_one_goes_on(packed: Packed) -> None:
    for seed in OTHERS:
        assert packed.steps.count((seed, EPOCHS)) == packed.steps.count((seed, 1)) == packed.steps.count((OTHERS[0], 1))
    taken = [epoch for seed, epoch in packed.steps if seed == STUMBLES]
    assert taken.count(1) * EPOCHS <= len(taken) <= taken.count(1) * EPOCHS + 1, "more than the step under way was taken twice"
    resumed = {seed: json.loads((packed.folder / RUNS / ARM / f"seed-{seed}" / "run.json").read_text())["resumptions"] for seed in SEEDS}
    assert resumed == dict.fromkeys(SEEDS, 1)


def test_no_state_of_a_finished_run_stays_when_all_is_well(packed: Packed) -> None:
    assert list((packed.folder / RUNS).rglob(NAME)) == []


@pytest.mark.parametrize("profile", [PACKED, ()], ids=["packed", "apart"])
def test_nothing_is_to_be_done_afterwards_packed_or_not(slurm_cluster: Cluster, packed: Packed, profile: tuple[str, ...]) -> None:
    status, output = through_slurm(slurm_cluster, packed.folder, "train", *profile, "--configfile", PACK)
    assert status == 0, output[-4000:]
    assert "Nothing to be done" in output


def test_a_run_that_is_asked_again_reruns_alone(slurm_cluster: Cluster, packed: Packed, tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    shutil.copytree(packed.folder, folder, symlinks=True)
    shutil.rmtree(folder / RUNS / ARM / f"seed-{STUMBLES}")
    before = {job.number for job in slurm_cluster.jobs()}
    status, output = through_slurm(slurm_cluster, folder, "train", *PACKED, "--configfile", PACK)
    assert status == 0, output[-4000:]
    assert [(job.cpus, job.gpus) for job in slurm_cluster.jobs() if job.number not in before] == [(1, 1)]
    assert results(folder) == packed.expected
