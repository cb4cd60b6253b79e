"""Jobs that the scheduler ends: whatever it was, the next attempt goes on from the state on the
disk and ends in the same bytes.
"""

import signal

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.faults import queued, running
from tests.slurm.one_run import TARGET, Disturbed
from tests.slurm.run import Invocation, through_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]


def test_a_job_killed_mid_training_goes_on_at_the_next_attempt(idle_cluster: Cluster, run: Disturbed) -> None:
    run.hold()
    with Invocation(idle_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        (job,) = running(idle_cluster)
        idle_cluster.client("scancel", "--signal=KILL", "--full", str(job.number))
        snakemake.wait_for(lambda: f"SLURM-job '{job.number}' failed" in snakemake.output, "word of the job's end")
        run.let_go()
        assert snakemake.end() == 0, snakemake.output[-6000:]
    killed, ended = idle_cluster.jobs()
    assert killed.state in {"FAILED", "CANCELLED"}
    assert ended.state == "COMPLETED"
    assert ended.memory_mb == 2 * killed.memory_mb
    assert "training goes on after epoch" in run.log()
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()


def test_a_run_leaves_before_its_time_limit_and_goes_on_at_the_next_attempt(idle_cluster: Cluster, run: Disturbed) -> None:
    """The job's clock goes ahead in its middle, past the end that SLURM has set."""
    run.put_clock_ahead()
    with Invocation(idle_cluster, run.folder, *TARGET) as snakemake:
        assert snakemake.end() == 0, snakemake.output[-6000:]
        assert "before the time limit; run again to go on." in snakemake.output
        assert "non-zero exit status 75" in snakemake.output
    left, ended = idle_cluster.jobs()
    assert (left.state, ended.state) == ("FAILED", "COMPLETED")  # not TIMEOUT: SLURM had not to end it
    assert "training goes on after epoch" in run.log()
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()


def test_a_job_over_its_memory_is_killed_and_gets_twice_as_much(idle_cluster: Cluster, run: Disturbed) -> None:
    run.ask(memory_mb=500)
    run.hold()  # SLURM looks at a job's memory once a second
    with Invocation(idle_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(lambda: "failed" in snakemake.output, "word of the job's end")
        run.let_go()
        assert snakemake.end() == 0, snakemake.output[-6000:]
    killed, ended = idle_cluster.jobs()
    assert killed.state in {"FAILED", "OUT_OF_MEMORY", "CANCELLED"}
    assert ended.state == "COMPLETED"
    assert (killed.memory_mb, ended.memory_mb) == (500, 1000)
    assert run.ends_in_the_same_bytes()


def test_a_requeued_job_goes_on_under_its_own_number(idle_cluster: Cluster, run: Disturbed) -> None:
    """A preempting partition ends a job and begins it again later."""
    run.hold()
    with Invocation(idle_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        (job,) = running(idle_cluster)
        idle_cluster.client("scontrol", "requeue", str(job.number))
        snakemake.wait_for(lambda: not running(idle_cluster), "the end of the job")
        run.let_go()
        assert snakemake.end() == 0, snakemake.output[-6000:]
    (ended,) = idle_cluster.jobs()
    assert (ended.number, ended.state, ended.restarts) == (job.number, "COMPLETED", 1)
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()


def test_ctrl_c_leaves_no_job_behind_and_the_next_invocation_goes_on(idle_cluster: Cluster, run: Disturbed) -> None:
    run.hold()
    # While the executor looks at the queue, some milliseconds, it holds no jobs to cancel: it looks
    # seldom, as with its stock settings.
    with Invocation(idle_cluster, run.folder, *TARGET, poll=10) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        snakemake.send(signal.SIGINT)
        assert snakemake.end() != 0
    idle_cluster.wait(lambda: not queued(idle_cluster), "the end of every job")
    assert {job.state for job in idle_cluster.jobs()} == {"CANCELLED"}
    run.let_go()
    status, output = through_slurm(idle_cluster, run.folder, *TARGET)
    assert status == 0, output[-6000:]
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()
