"""Jobs that the scheduler ends: whatever it was, the next attempt goes on from the state on the
disk and ends in the same bytes.
"""

import os
import signal
import time

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.faults import age, queued, running, training_process
from tests.slurm.one_run import TARGET, Disturbed
from tests.slurm.run import Invocation, through_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

LIMIT = 2
"""Minutes of a job that has to leave before its end."""
STALLED_UNTIL = 80.0
"""Seconds after its start until which that run stands still: so long a step fits no second time
into its limit.
"""


def test_a_job_killed_mid_training_goes_on_at_the_next_attempt(own_cluster: Cluster, run: Disturbed) -> None:
    with Invocation(own_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        (job,) = running(own_cluster)
        own_cluster.client("scancel", "--signal=KILL", "--full", str(job.number))
        assert snakemake.end() == 0, snakemake.said[-6000:]
        assert f"SLURM-job '{job.number}' failed" in snakemake.said
    killed, ended = own_cluster.jobs()
    assert killed.state in {"FAILED", "CANCELLED"}
    assert ended.state == "COMPLETED"
    assert ended.memory_mb == 2 * killed.memory_mb
    assert "training goes on after epoch" in run.log()
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()


def test_a_run_leaves_before_its_time_limit_and_goes_on_at_the_next_attempt(own_cluster: Cluster, run: Disturbed) -> None:
    run.ask(minutes=LIMIT)
    with Invocation(own_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        # The machine stalls: a step like this one no longer fits into the minute.
        process = training_process(run.folder)
        os.kill(process, signal.SIGSTOP)
        time.sleep(max(0.0, STALLED_UNTIL - age(process)))
        os.kill(process, signal.SIGCONT)
        assert snakemake.end() == 0, snakemake.said[-6000:]
        assert "before the time limit; run again to go on." in snakemake.said
        assert "non-zero exit status 75" in snakemake.said
    left, ended = own_cluster.jobs()
    assert (left.state, ended.state) == ("FAILED", "COMPLETED")  # not TIMEOUT: SLURM had not to end it
    assert "training goes on after epoch" in run.log()
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()


def test_a_job_over_its_memory_is_killed_and_gets_twice_as_much(own_cluster: Cluster, run: Disturbed) -> None:
    run.ask(memory_mb=500)
    with Invocation(own_cluster, run.folder, *TARGET) as snakemake:
        assert snakemake.end() == 0, snakemake.said[-6000:]
    killed, ended = own_cluster.jobs()
    assert killed.state in {"FAILED", "OUT_OF_MEMORY", "CANCELLED"}
    assert ended.state == "COMPLETED"
    assert (killed.memory_mb, ended.memory_mb) == (500, 1000)
    assert run.ends_in_the_same_bytes()


def test_a_requeued_job_goes_on_under_its_own_number(own_cluster: Cluster, run: Disturbed) -> None:
    """What a preempting partition does to a job: end it, and begin it again later."""
    with Invocation(own_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        (job,) = running(own_cluster)
        own_cluster.client("scontrol", "requeue", str(job.number))
        assert snakemake.end() == 0, snakemake.said[-6000:]
    (ended,) = own_cluster.jobs()
    assert (ended.number, ended.state, ended.restarts) == (job.number, "COMPLETED", 1)
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()


def test_ctrl_c_leaves_no_job_behind_and_the_next_invocation_goes_on(own_cluster: Cluster, run: Disturbed) -> None:
    # While the executor looks at the queue, some milliseconds, it holds no jobs to cancel: it looks
    # seldom, as with its stock settings.
    with Invocation(own_cluster, run.folder, *TARGET, poll=10) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        snakemake.send(signal.SIGINT)
        assert snakemake.end() != 0
    own_cluster.wait(lambda: not queued(own_cluster), 20, "the end of every job")
    assert {job.state for job in own_cluster.jobs()} == {"CANCELLED"}
    status, said = through_slurm(own_cluster, run.folder, *TARGET)
    assert status == 0, said[-6000:]
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()
