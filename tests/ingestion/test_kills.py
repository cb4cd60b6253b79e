"""Fifty kills at random moments of the real work: nothing half-done under a final name, and a rerun
as if nothing had happened.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.plan import plan, releases
from kneeoa.phantom.release import write_part, write_tables
from tests.ingestion.killed import PHASES, WRITES, Worker, finished
from tests.ingestion.stages import Tables, build_tables, cohort
from tests.killing import leftovers

pytestmark = pytest.mark.slow

KILLS = 50
AIMED = 16
"""Kills that wait for a write: at least ten must fall into one."""
STAGES = ("volumes", "masks")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    phantom = Phantom(seed=4, subjects=3, both_knees=0.3, shape=(28, 80, 80), spacing=(4.0, 1.8, 1.8), parts=1, faults=False)
    raw, tables = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("tables")
    write_tables(phantom, "main", raw)
    release = releases(phantom)[0]
    write_part(phantom, "main", release, raw / "00m" / release, raw / "masks" / release)
    build_tables(raw, tables, cohort(1, masks=True))
    assert {knee.image_format for knee in plan(phantom, "main")} == {"dicom", "nifti"}
    made = Worker(raw, tables, tables / "board")
    yield made
    made.close()


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds

    def moment() -> bool:
        time.sleep(max(0.0, min(0.01, end - time.monotonic())))
        return time.monotonic() >= end

    return moment


def _in_a_write(worker: Worker, after: float, rng: np.random.Generator) -> Callable[[], bool]:
    """After some seconds, at the next look (about one a millisecond, at random) that finds the
    worker writing.
    """
    begin, end = time.monotonic() + after, time.monotonic() + 20

    def moment() -> bool:
        time.sleep(rng.uniform(0.0002, 0.001))
        now = time.monotonic()
        return now > end or (now >= begin and PHASES[worker.phase()] in WRITES)

    return moment


def emptied(out: Path, stage: str) -> Path:
    """The folder of a stage, without files."""
    folder = Tables(out).of_shard(stage, 0)["out_array"].parent
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder


def test_fifty_kills_leave_nothing_half_done_and_reruns_are_identical(
    worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(20)
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    seconds = {stage: worker.run(stage, undisturbed) for stage in STAGES}
    seconds = {stage: worker.run(stage, undisturbed) for stage in STAGES}  # the first run warms up
    expected = {stage: finished(undisturbed / stage) for stage in STAGES}
    assert all(len(files) >= 3 for files in expected.values())

    out = tmp_path / "out"
    out.mkdir()
    worker.run("volumes", out)
    hits: Counter[str] = Counter()
    harmed = 0
    start = time.monotonic()
    while hits.total() < KILLS:
        stage = STAGES[hits.total() % 3 == 2]  # two on volumes for each on masks
        aimed = hits.total() >= KILLS - AIMED
        share = rng.uniform(0, 0.8 if aimed else 1)
        moment = _in_a_write(worker, share * seconds[stage], rng) if aimed else _after(share * seconds[stage])
        folder = emptied(out, stage)
        hit = worker.kill(stage, out, moment)
        if hit is None:
            continue  # the job was done before the kill
        hits[hit] += 1
        assert finished(folder).items() <= expected[stage].items(), f"killed while {hit}: a final name holds something else"
        harmed += bool(leftovers(folder))
        worker.run(stage, out)
        assert finished(folder) == expected[stage], f"killed while {hit}: the rerun differs"
        assert leftovers(folder) == [], f"killed while {hit}: a dead writer's files stay"
    with capsys.disabled():
        print(f"\n{KILLS} kills in {time.monotonic() - start:.0f} s; jobs of {seconds['volumes']:.2f} s and {seconds['masks']:.2f} s")
        print("\n".join(f"{phase:22s} {hits[phase]:3d} {'#' * hits[phase]}" for phase in PHASES))
        print(f"{harmed} kills left temporaries; every rerun removed them and gave the same bytes")
    assert sum(hits[phase] for phase in WRITES) >= 10
    assert len(hits) >= 5
    assert harmed >= 10


WRITES_OF_A_SHARD = {"writing a row": 4, "writing the header": 1, "writing an index": 2, "waiting for the disk": 3, "renaming": 3}
"""How often a shard of four volumes goes through each phase: an array, its index and its
exclusions.
"""


def _at_the_door(worker: Worker) -> Callable[[], bool]:
    end = time.monotonic() + 20

    def moment() -> bool:
        time.sleep(0.005)
        return worker.trapped() or time.monotonic() > end

    return moment


@pytest.mark.parametrize("phase", sorted(WRITES))
def test_a_kill_at_the_door_of_each_write_of_a_shard(worker: Worker, tmp_path: Path, phase: str) -> None:
    """Moments too short to be hit at random: before each header, index, wait for the disk and
    renaming of a shard.
    """
    worker.run("volumes", tmp_path)
    expected = finished(tmp_path / "volumes")
    for number in range(1, WRITES_OF_A_SHARD[phase] + 1):
        folder = emptied(tmp_path, "volumes")
        worker.trap(phase, number)
        hit = worker.kill("volumes", tmp_path, _at_the_door(worker))
        worker.trap(None)
        assert hit == phase
        assert finished(folder).items() < expected.items()
        assert leftovers(folder), "it was killed in the middle of a write, and nothing is left of that"
        worker.run("volumes", tmp_path)
        assert finished(folder) == expected
        assert leftovers(folder) == []
