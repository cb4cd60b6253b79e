"""Fifty kills of training at random moments: every run, taken up again, ends in the same bytes as
one that nobody disturbed.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np
import pytest

from kneeoa.job import UNFINISHED
from tests.killing import leftovers
from tests.training.killed import OF_A_STATE, PHASES, RESULTS, WRITES, Worker, has_state, results

pytestmark = pytest.mark.slow

KILLS = 50
AIMED = 16
"""Kills that wait for the write of a state: at least ten must fall into one."""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("study")
    made = Worker(folder, folder / "board")
    yield made
    made.close()


@pytest.fixture(scope="module")
def undisturbed(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], int]:
    """What a run's results are, and how many phases it begins."""
    out = tmp_path_factory.mktemp("undisturbed")
    worker.run(out)
    assert set(results(out)) == set(RESULTS)
    return results(out), worker.begun()


def _when(worker: Worker, begun: float, rng: np.random.Generator, within: Collection[str] = PHASES) -> Callable[[], bool]:
    """At the first look (about one a millisecond, at random) that finds so many phases begun, and
    the job in one of certain phases.
    """

    def moment() -> bool:
        time.sleep(rng.uniform(0.0002, 0.001))
        return worker.begun() >= begun and worker.phase() in within

    return moment


def test_fifty_killed_runs_end_as_one_that_was_not(
    worker: Worker, undisturbed: tuple[dict[str, str], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(20)
    expected, phases = undisturbed
    hits: Counter[str] = Counter()
    after_a_state = temporaries = 0
    start = time.monotonic()
    out = tmp_path / "run"
    while hits.total() < KILLS:
        aimed = hits.total() >= KILLS - AIMED
        share = rng.uniform(0.2, 0.8) if aimed else rng.uniform(0, 1)
        shutil.rmtree(out, ignore_errors=True)
        hit, status = worker.kill(out, _when(worker, share * phases, rng, WRITES if aimed else PHASES))
        if status == 0:
            continue  # the job was done before the kill
        assert status == -signal.SIGKILL
        hits[hit] += 1
        after_a_state += has_state(out)
        temporaries += bool(leftovers(out)) and hit in OF_A_STATE
        went_on = has_state(out)
        worker.run(out)
        assert results(out) == expected, f"killed while {hit}: the run that went on ended elsewhere"
        assert leftovers(out) == [], f"killed while {hit}: a dead writer's files stay"
        assert not has_state(out)
        assert json.loads((out / "run.json").read_text())["resumptions"] == int(went_on)
    with capsys.disabled():
        print(f"\n{KILLS} kills in {time.monotonic() - start:.0f} s, of runs of about {phases} phases; the same weights each time")
        print("\n".join(f"{phase:22s} {hits[phase]:3d} {'#' * hits[phase]}" for phase in PHASES))
        print(f"{after_a_state} kills after the first state, {temporaries} left half a state beside it")
    assert after_a_state >= 20
    assert sum(hits[phase] for phase in WRITES) >= 10
    assert temporaries >= 5
    assert len(hits) >= 5


def test_a_run_killed_again_and_again_ends_too(worker: Worker, undisturbed: tuple[dict[str, str], int], tmp_path: Path) -> None:
    expected, phases = undisturbed
    rng = np.random.default_rng(21)
    killed = 0
    while not (tmp_path / "run.json").exists():
        _, status = worker.kill(tmp_path, _when(worker, 0.3 * phases, rng))
        killed += status == -signal.SIGKILL
        assert killed < 40, "the run does not get on"
    assert killed >= 2
    assert results(tmp_path) == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_lets_the_step_end(
    worker: Worker, undisturbed: tuple[dict[str, str], int], tmp_path: Path, number: signal.Signals
) -> None:
    expected, phases = undisturbed
    _, status = worker.kill(tmp_path, _when(worker, 0.5 * phases, np.random.default_rng(22)), number)
    assert status == UNFINISHED
    assert has_state(tmp_path)
    assert results(tmp_path) == {}
    worker.run(tmp_path)
    assert results(tmp_path) == expected


def test_the_seed_alone_decides(worker: Worker, undisturbed: tuple[dict[str, str], int], tmp_path: Path) -> None:
    worker.run(tmp_path / "same", seed=1)
    worker.run(tmp_path / "other", seed=2)
    assert results(tmp_path / "same") == undisturbed[0]
    assert results(tmp_path / "other")[RESULTS[0]] != undisturbed[0][RESULTS[0]]
