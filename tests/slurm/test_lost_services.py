"""A node, the controller, the queue or the login node's own process goes away: the run ends right,
or stops with a clear word and ends right at the next invocation, in the same bytes.
"""

import signal

import pytest

from tests.dag import snakemake as command
from tests.slurm.cluster import Cluster
from tests.slurm.faults import bring_back, kill_controller, lose, queued, running
from tests.slurm.one_run import CONFIGURATION, TARGET, Disturbed
from tests.slurm.run import Invocation, through_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]


def test_a_job_whose_node_is_lost_goes_on_where_there_is_one(own_cluster: Cluster, run: Disturbed) -> None:
    run.hold()
    with Invocation(own_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        (job,) = running(own_cluster)
        lose(own_cluster, "gpu1")
        snakemake.wait_for(lambda: {each.state for each in queued(own_cluster)} == {"PENDING"}, "a job that waits for a node")
        run.let_go()
        bring_back(own_cluster, "gpu1")
        assert snakemake.end() == 0, snakemake.output[-6000:]
    (ended,) = own_cluster.jobs()
    assert (ended.number, ended.state, ended.restarts) == (job.number, "COMPLETED", 1)
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()


def test_jobs_go_on_while_the_controller_is_away(own_cluster: Cluster, run: Disturbed) -> None:
    """Without accounting the executor may lose sight of them for good (docs/operations.md): then a
    person interrupts it and asks again.
    """
    run.hold()
    with Invocation(own_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        kill_controller(own_cluster)
        run.let_go()
        own_cluster.wait(run.has_ended, "the end of the run")
        own_cluster.daemon("slurmctld")
        own_cluster.wait(lambda: {job.state for job in own_cluster.jobs()} == {"COMPLETED"}, "the end of the job")
        snakemake.send(signal.SIGINT)
        snakemake.end()
    (job,) = own_cluster.jobs()
    assert job.restarts == 0
    assert run.ends_in_the_same_bytes()
    status, output = through_slurm(own_cluster, run.folder, *TARGET)
    assert status == 0, output[-6000:]
    assert run.ends_in_the_same_bytes()


def test_a_scheduler_that_takes_no_jobs_is_quoted_and_the_next_invocation_goes_on(idle_cluster: Cluster, run: Disturbed) -> None:
    idle_cluster.client("scontrol", "update", "PartitionName=gpu", "State=INACTIVE")
    try:
        status, output = through_slurm(idle_cluster, run.folder, *TARGET)
    finally:
        idle_cluster.client("scontrol", "update", "PartitionName=gpu", "State=UP")
    assert status != 0
    assert "SLURM sbatch failed. The error message was" in output
    assert "Required partition not available (inactive or drain)" in output
    assert idle_cluster.jobs() == []
    status, output = through_slurm(idle_cluster, run.folder, *TARGET)
    assert status == 0, output[-6000:]
    assert run.ends_in_the_same_bytes()


def test_after_a_crash_of_the_login_node_a_person_cancels_unlocks_and_goes_on(idle_cluster: Cluster, run: Disturbed) -> None:
    run.hold()
    with Invocation(idle_cluster, run.folder, *TARGET) as snakemake:
        snakemake.wait_for(run.in_the_middle, "a run in the middle")
        snakemake.send(signal.SIGKILL)
        snakemake.end()
    (job,) = queued(idle_cluster)  # a killed Snakemake cancels nothing
    idle_cluster.client("scancel", str(job.number))
    idle_cluster.wait(lambda: not queued(idle_cluster), "the end of every job")
    run.let_go()
    status, output = through_slurm(idle_cluster, run.folder, *TARGET)
    assert status != 0
    assert "Directory cannot be locked" in output
    assert command(run.folder, "--unlock", "--configfile", CONFIGURATION).returncode == 0
    status, output = through_slurm(idle_cluster, run.folder, *TARGET)
    assert status == 0, output[-6000:]
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()
