"""Kills of training at random moments: every run, taken up again, ends in the same bytes as
one that nobody disturbed.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from kneeoa.job_logging import UNFINISHED
from tests.killing import Moment, leftovers, moments
from tests.suites import KILLS
from tests.training.killed import OF_A_STATE, PHASES, RESULTS, SAVE_EVERY, WRITES, Worker, has_state, results

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("study")
    made = Worker(folder, folder / "board")
    yield made
    made.close()


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody disturbed."""

    results: dict[str, str]
    begun: Counter[str]
    """Times that it began each phase."""


@pytest.fixture(scope="module")
def undisturbed(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    out = tmp_path_factory.mktemp("undisturbed")
    begun = worker.run(out, 1)
    assert set(results(out)) == set(RESULTS)
    assert begun["optimiser"] > 2 * SAVE_EVERY, "too few steps to be killed between two states"
    return Undisturbed(results(out), begun)


def test_killed_runs_end_as_one_that_was_not(
    worker: Worker, undisturbed: Undisturbed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(20)
    hits: Counter[str] = Counter()
    after_a_state = temporaries = 0
    out = tmp_path / "run"
    for at in moments(undisturbed.begun, WRITES, KILLS, rng):
        shutil.rmtree(out, ignore_errors=True)
        hit, status = worker.disturb(out, 1, at=at)
        if status == 0:
            continue  # the job was done before the kill
        assert status == -signal.SIGKILL
        hits[hit] += 1
        after_a_state += has_state(out)
        temporaries += bool(leftovers(out)) and hit in OF_A_STATE
        went_on = has_state(out)
        worker.run(out, 1)
        assert results(out) == undisturbed.results, f"killed while {hit}: the run that went on ended elsewhere"
        assert leftovers(out) == [], f"killed while {hit}: a dead writer's files stay"
        assert not has_state(out)
        assert json.loads((out / "run.json").read_text())["resumptions"] == int(went_on)
    with capsys.disabled():
        print(f"\n{hits.total()} kills; the same weights each time")
        print("\n".join(f"{phase:22s} {hits[phase]:3d} {'#' * hits[phase]}" for phase in PHASES))
        print(f"{after_a_state} kills after the first state, {temporaries} left half a state beside it")
    # What the kills at the door alone amount to; where the others fall is a matter of microseconds.
    assert after_a_state >= KILLS // 5
    assert sum(hits[phase] for phase in WRITES) >= KILLS // 5
    assert temporaries >= KILLS // 5
    assert len(hits) >= 5


def test_a_run_killed_again_and_again_ends_too(worker: Worker, undisturbed: Undisturbed, tmp_path: Path) -> None:
    """Each job is killed in the first or second step after its first state, so each gets on by
    ``SAVE_EVERY`` steps.
    """
    rng = np.random.default_rng(21)
    killed = 0
    while not (tmp_path / "run.json").exists():
        at = Moment("backward", SAVE_EVERY + int(rng.integers(1, 3)), None)
        _, status = worker.disturb(tmp_path, 1, at=at)
        assert status in {0, -signal.SIGKILL}
        killed += status == -signal.SIGKILL
        assert killed <= undisturbed.begun["optimiser"] / SAVE_EVERY, "the run does not get on"
    assert killed >= 2
    assert results(tmp_path) == undisturbed.results


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_lets_the_step_end(worker: Worker, undisturbed: Undisturbed, tmp_path: Path, number: signal.Signals) -> None:
    at = Moment("backward", undisturbed.begun["backward"] // 2, None)
    assert worker.disturb(tmp_path, 1, at=at, number=number) == ("backward", UNFINISHED)
    assert has_state(tmp_path)
    assert results(tmp_path) == {}
    worker.run(tmp_path, 1)
    assert results(tmp_path) == undisturbed.results


def test_the_seed_alone_decides(worker: Worker, undisturbed: Undisturbed, tmp_path: Path) -> None:
    worker.run(tmp_path / "same", 1)
    worker.run(tmp_path / "other", 2)
    assert results(tmp_path / "same") == undisturbed.results
    assert results(tmp_path / "other")[RESULTS[0]] != undisturbed.results[RESULTS[0]]
