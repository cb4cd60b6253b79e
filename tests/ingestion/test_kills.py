"""Kills at random moments of the real work: nothing half-done under a final name, and a rerun
as if nothing had happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import numpy as np
import pytest

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.plan import plan_cohort, releases
from kneeoa.phantom.release import write_part, write_tables
from tests.ingestion.killed import PHASES, WRITES, Worker, finished
from tests.ingestion.stages import Tables, build_tables, cohort
from tests.killing import Moment, leftovers, moments
from tests.suites import KILLS

pytestmark = pytest.mark.slow

STAGES = ("volumes", "masks")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    phantom = Phantom(seed=4, subjects=3, both_knees=0.3, shape=(28, 80, 80), spacing=(4.0, 1.8, 1.8), parts=1, faults=False)
    raw, tables = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("tables")
    write_tables(phantom, "main", raw)
    release = releases(phantom)[0]
    write_part(phantom, "main", release, raw / "00m" / release, raw / "masks" / release)
    build_tables(raw, tables, cohort(1, masks=True))
    assert {knee.image_format for knee in plan_cohort(phantom, "main")} == {"dicom", "nifti"}
    made = Worker(raw, tables, tables / "board")
    yield made
    made.close()


def emptied(out: Path, stage: str) -> Path:
    """The folder of a stage, without files."""
    folder = Tables(out).of_shard(stage, 0)["out_array"].parent
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder


def test_kills_leave_nothing_half_done_and_reruns_are_identical(worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(20)
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    begun = {stage: worker.run(stage, undisturbed) for stage in STAGES}
    expected = {stage: finished(undisturbed / stage) for stage in STAGES}
    assert all(len(files) >= 3 for files in expected.values())

    out = tmp_path / "out"
    out.mkdir()
    worker.run("volumes", out)
    hits: Counter[str] = Counter()
    harmed = 0
    on_masks = KILLS // 3
    for stage, at in [
        *(("volumes", at) for at in moments(begun["volumes"], WRITES, KILLS - on_masks, rng)),
        *(("masks", at) for at in moments(begun["masks"], WRITES, on_masks, rng)),
    ]:
        folder = emptied(out, stage)
        hit, status = worker.disturb(stage, out, at=at)
        if status == 0:
            continue  # the job was done before the kill
        assert status == -SIGKILL
        hits[hit] += 1
        assert finished(folder).items() <= expected[stage].items(), f"killed while {hit}: a final name holds something else"
        harmed += bool(leftovers(folder))
        worker.run(stage, out)
        assert finished(folder) == expected[stage], f"killed while {hit}: the rerun differs"
        assert leftovers(folder) == [], f"killed while {hit}: a dead writer's files stay"
    with capsys.disabled():
        print(f"\n{hits.total()} kills")
        print("\n".join(f"{phase:22s} {hits[phase]:3d} {'#' * hits[phase]}" for phase in PHASES))
        print(f"{harmed} kills left temporaries; every rerun removed them and gave the same bytes")
    # What the kills at the door alone amount to; where the others fall is a matter of microseconds.
    assert sum(hits[phase] for phase in WRITES) >= KILLS // 5
    assert len(hits) >= 5
    assert harmed >= KILLS // 5


WRITES_OF_A_SHARD = {"writing a row": 4, "writing the header": 1, "writing an index": 2, "waiting for the disk": 3, "renaming": 3}
"""Times that a shard of four volumes goes through each phase: an array, its index and its
exclusions.
"""


@pytest.mark.parametrize("phase", sorted(WRITES))
def test_a_kill_at_the_door_of_each_write_of_a_shard(worker: Worker, tmp_path: Path, phase: str) -> None:
    """Moments too short to be hit at random: before each header, index, wait for the disk and
    renaming of a shard.
    """
    begun = worker.run("volumes", tmp_path)
    assert begun[phase] == WRITES_OF_A_SHARD[phase]
    expected = finished(tmp_path / "volumes")
    for occurrence in range(1, begun[phase] + 1):
        folder = emptied(tmp_path, "volumes")
        assert worker.disturb("volumes", tmp_path, at=Moment(phase, occurrence, None)) == (phase, -SIGKILL)
        assert finished(folder).items() < expected.items()
        assert leftovers(folder), "it was killed in the middle of a write, and nothing is left of that"
        worker.run("volumes", tmp_path)
        assert finished(folder) == expected
        assert leftovers(folder) == []
