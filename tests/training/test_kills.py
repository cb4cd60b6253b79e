"""Fifty kills of training at random moments: every run, taken up again, ends in the same bytes as one that nobody disturbed."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kneeoa.job import UNFINISHED
from tests.training.killed import OF_A_STATE, PHASES, RESULTS, WRITES, Worker, has_state, leftovers, results

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
def undisturbed(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float]:
    """What a run's results are, and how long one takes."""
    out = tmp_path_factory.mktemp("undisturbed")
    seconds = worker.run(out)
    assert set(results(out)) == set(RESULTS)
    return results(out), seconds


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds

    def moment() -> bool:
        time.sleep(max(0.0, min(0.01, end - time.monotonic())))
        return time.monotonic() >= end

    return moment


def _in_a_write(worker: Worker, after: float, rng: np.random.Generator) -> Callable[[], bool]:
    """After some seconds, at the next look (about one a millisecond, at random) that finds a state being written."""
    begin, end = time.monotonic() + after, time.monotonic() + 10

    def moment() -> bool:
        time.sleep(rng.uniform(0.0002, 0.001))
        now = time.monotonic()
        return now > end or (now >= begin and worker.phase() in WRITES)

    return moment


def test_fifty_killed_runs_end_as_one_that_was_not(
    worker: Worker, undisturbed: tuple[dict[str, str], float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(20)
    expected, seconds = undisturbed
    hits: Counter[str] = Counter()
    after_a_state = temporaries = 0
    start = time.monotonic()
    out = tmp_path / "run"
    while hits.total() < KILLS:
        aimed = hits.total() >= KILLS - AIMED
        share = rng.uniform(0.2, 0.8) if aimed else rng.uniform(0, 1)
        shutil.rmtree(out, ignore_errors=True)
        hit, status = worker.kill(out, _in_a_write(worker, share * seconds, rng) if aimed else _after(share * seconds))
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
        print(f"\n{KILLS} kills in {time.monotonic() - start:.0f} s, of runs of {seconds:.2f} s; the same weights each time")
        print("\n".join(f"{phase:22s} {hits[phase]:3d} {'#' * hits[phase]}" for phase in PHASES))
        print(f"{after_a_state} kills after the first state, {temporaries} left half a state beside it")
    assert after_a_state >= 20
    assert sum(hits[phase] for phase in WRITES) >= 10
    assert temporaries >= 5
    assert len(hits) >= 5


def test_a_run_killed_again_and_again_ends_too(worker: Worker, undisturbed: tuple[dict[str, str], float], tmp_path: Path) -> None:
    expected, seconds = undisturbed
    killed = 0
    while not (tmp_path / "run.json").exists():
        _, status = worker.kill(tmp_path, _after(0.55 * seconds))
        killed += status == -signal.SIGKILL
        assert killed < 40, "the run does not get on"
    assert killed >= 2
    assert results(tmp_path) == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_lets_the_step_end(
    worker: Worker, undisturbed: tuple[dict[str, str], float], tmp_path: Path, number: signal.Signals
) -> None:
    expected, seconds = undisturbed
    _, status = worker.kill(tmp_path, _after(0.5 * seconds), number)
    assert status == UNFINISHED
    assert has_state(tmp_path)
    assert results(tmp_path) == {}
    worker.run(tmp_path)
    assert results(tmp_path) == expected


def test_the_seed_alone_decides(worker: Worker, undisturbed: tuple[dict[str, str], float], tmp_path: Path) -> None:
    worker.run(tmp_path / "same", seed=1)
    worker.run(tmp_path / "other", seed=2)
    assert results(tmp_path / "same") == undisturbed[0]
    assert results(tmp_path / "other")[RESULTS[0]] != undisturbed[0][RESULTS[0]]
