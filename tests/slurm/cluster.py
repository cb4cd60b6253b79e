"""A private SLURM on this machine: munge, a controller and one daemon a node, in a folder of their
own.

Real daemons, real scheduling; only the GPUs are declared rather than there. No systemd, no cgroups,
nothing in /etc, and ports that were free a moment ago, so that two clusters can run side by side.
`config_overrides` lets nodes claim more CPUs than the machine has.
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.suites import LAST_RESORT

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "squeue", "scontrol", "sinfo", "srun")
SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
GPU_DEVICES = ("/dev/zero", "/dev/full")  # SLURM wants a character device for each GPU; nothing ever opens it
CPUS, MEMORY_MB = 4, 8000
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "DEADLINE", "PREEMPTED"}
"""States of jobs that SLURM has done with."""


def missing() -> list[str]:
    """The programs of SLURM and munge that are not installed here."""
    return [name for name in (*DAEMONS, *CLIENTS) if shutil.which(name, path=SEARCHED) is None]


@dataclass(frozen=True)
class Job:
    """One job as SLURM recorded it."""

    number: int
    name: str
    account: str
    comment: str
    """The executor's: the rule and its wildcards."""
    partition: str
    state: str
    cpus: int
    memory_mb: int
    gpus: int
    """GPUs that SLURM gave the job."""
    restarts: int
    """Times that SLURM itself began the job anew."""
    asked: str
    """Way in which GPUs were asked for: TresPerJob (--gpus), TresPerNode (--gres), or nothing."""

    @property
    def rule(self) -> str:
        """The rule that the job ran: the executor puts it into SLURM's comment."""
        return re.sub(r"_wildcards_.*", "", self.comment.removeprefix("rule_"))


@dataclass
class Cluster:
    """One CPU node (partition cpu, the default) and one GPU node of two GPUs (partition gpu): few,
    as all share this machine.
    """

    folder: Path
    cpu_nodes: tuple[str, ...] = ("cpu1",)
    gpu_nodes: tuple[str, ...] = ("gpu1",)
    environment: dict[str, str] = field(default_factory=dict)
    """Variables that a client needs: SLURM_CONF, and a srun that keeps it, first on the path."""
    forgotten: int = 0
    """The last of the jobs that ``jobs`` leaves out."""

    def start(self) -> None:
        """Start everything and wait until every node is idle; TimeoutError with the daemons' last
        words otherwise.
        """
        for name in ("log", "run", "state", "spool", "bin", "munge"):
            (self.folder / name).mkdir(mode=0o755)
        (self.folder / "munge").chmod(0o700)
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        self._write_configuration()
        self.daemon(
            *("munged", "--force", f"--key-file={key}", f"--socket={self.folder}/run/munge.sock", "--num-threads=2"),
            *(f"--pid-file={self.folder}/run/munged.pid", f"--log-file={self.folder}/log/munged.log"),
            f"--seed-file={self.folder}/munge/seed",
        )
        self.daemon("slurmctld")
        for node in self.cpu_nodes + self.gpu_nodes:
            self.daemon("slurmd", "-N", node)
        nodes = len(self.cpu_nodes + self.gpu_nodes)
        self.wait(lambda: self.client("sinfo", "-h", "-N", "-o", "%T", check=False).split().count("idle") == nodes, "idle nodes")

    def stop(self) -> None:
        """Cancel what runs and stop every daemon that this cluster started, by its own process
        id.
        """
        self.client("scancel", "--user", getpass.getuser(), check=False)
        for pattern in ("slurmd.*.pid", "slurmctld.pid", "munged.pid"):
            for file in sorted((self.folder / "run").glob(pattern)):
                process = int(file.read_text().split()[0])
                if not _ended(process):
                    os.kill(process, signal.SIGTERM)
                    self.wait(partial(_ended, process), f"the end of {file.name}")

    def client(self, *command: str, check: bool = True) -> str:
        """Return what a client program (sinfo, scontrol, ...) prints."""
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True, timeout=LAST_RESORT)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def jobs(self) -> list[Job]:
        """Every job that the controller remembers, finished ones too (MinJobAge keeps them for two
        hours), and that this cluster was not asked to forget.
        """
        text = self.client("scontrol", "--oneliner", "--details", "show", "job")
        jobs = [_job(line) for line in text.splitlines() if line.startswith("JobId=")]
        return [job for job in jobs if job.number > self.forgotten]

    def forget_jobs(self) -> None:
        """Cancel what is queued, and let ``jobs`` begin anew."""
        self.client("scancel", "--user", getpass.getuser())
        self.wait(lambda: all(job.state in ENDED for job in self.jobs()), "the end of every job")
        self.forgotten = max((job.number for job in self.jobs()), default=self.forgotten)

    def daemon(self, *command: str) -> None:
        """Start a daemon, which goes into the background by itself."""
        program = shutil.which(command[0], path=SEARCHED)
        if program is None:
            raise FileNotFoundError(f"{command[0]} is not installed")
        environment = os.environ | self.environment
        done = subprocess.run([program, *command[1:]], env=environment, capture_output=True, text=True, timeout=LAST_RESORT)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {(done.stdout + done.stderr).strip()}")

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Return as soon as ``condition`` holds; TimeoutError with the daemons' last words where it
        never does.
        """
        end = time.monotonic() + LAST_RESORT
        while not condition():
            if time.monotonic() > end:
                logs = "\n".join(f"== {log.name}\n{log.read_text()[-1500:]}" for log in sorted((self.folder / "log").glob("*.log")))
                raise TimeoutError(f"waited {LAST_RESORT} s for {what}\n{logs}")
            time.sleep(0.1)

    def _write_configuration(self) -> None:
        host, user, folder = socket.gethostname().split(".")[0], getpass.getuser(), self.folder
        controller, *ports = _free_ports(1 + len(self.cpu_nodes + self.gpu_nodes))
        gpus = len(GPU_DEVICES)
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={CPUS} RealMemory={MEMORY_MB} State=UNKNOWN"
            + (f" Gres=gpu:fake:{gpus}" if node in self.gpu_nodes else "")
            for node, port in zip(self.cpu_nodes + self.gpu_nodes, ports, strict=True)
        ]
        (folder / "gres.conf").write_text(
            "".join(f"NodeName={node} Name=gpu Type=fake File={device}\n" for node in self.gpu_nodes for device in GPU_DEVICES)
        )
        settings = {
            "ClusterName": "kneeoa",
            "SlurmctldHost": f"{host}(127.0.0.1)",
            "SlurmctldPort": controller,
            "SlurmUser": user,
            "SlurmdUser": user,
            "AuthType": "auth/munge",
            # A job that SLURM begins anew waits until its old credentials are void: not two minutes
            # here.
            "AuthInfo": f"socket={folder}/run/munge.sock,cred_expire=10",
            "CredType": "cred/munge",
            "StateSaveLocation": f"{folder}/state",
            "SlurmdSpoolDir": f"{folder}/spool/%n",
            "SlurmctldPidFile": f"{folder}/run/slurmctld.pid",
            "SlurmdPidFile": f"{folder}/run/slurmd.%n.pid",
            "SlurmctldLogFile": f"{folder}/log/slurmctld.log",
            "SlurmdLogFile": f"{folder}/log/slurmd.%n.log",
            # Nothing that needs cgroups or root.
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "SwitchType": "switch/none",
            "MpiDefault": "none",
            "JobAcctGatherType": "jobacct_gather/linux",
            "JobAcctGatherParams": "OverMemoryKill",
            "JobAcctGatherFrequency": "task=1",
            "AccountingStorageType": "accounting_storage/none",
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_Core_Memory",
            "GresTypes": "gpu",
            # Without it a job that names no memory would take a whole node.
            "DefMemPerCPU": 100,
            "SlurmdParameters": "config_overrides",
            "SchedulerType": "sched/backfill",
            "SchedulerParameters": "sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0",
            "ReturnToService": 2,
            "KillWait": 2,
            "CompleteWait": 0,
            "MinJobAge": 7200,
        }
        partitions = [
            f"PartitionName=cpu Nodes={','.join(self.cpu_nodes)} Default=YES MaxTime=2:00:00 State=UP",
            f"PartitionName=gpu Nodes={','.join(self.gpu_nodes)} MaxTime=2:00:00 State=UP",
        ]
        configuration = folder / "slurm.conf"
        configuration.write_text("\n".join([*(f"{key}={value}" for key, value in settings.items()), *nodes, *partitions, ""]))
        # The executor's job step drops SLURM_CONF from the environment of its own srun.
        srun = folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun", path=SEARCHED)} "$@"\n')
        srun.chmod(0o755)
        self.environment = {"SLURM_CONF": str(configuration), "PATH": f"{srun.parent}{os.pathsep}{SEARCHED}"}


def _free_ports(count: int) -> list[int]:
    """Ports that no one listens on now; all are held until the last is found, so that they
    differ.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _ended(process: int) -> bool:
    """Whether a process is gone; one that ended and that nobody has waited for yet is."""
    try:
        state = re.search(r"^State:\s+(\S)", Path(f"/proc/{process}/status").read_text(), re.M)
    except OSError:
        return True
    return state is None or state[1] == "Z"


def _job(line: str) -> Job:
    """Read one line of `scontrol --oneliner --details show job`."""

    def value(key: str, pattern: str = r"\S+") -> str:
        match = re.search(rf"(?:^|\s){key}=({pattern})", line)
        return match[1] if match else ""

    given = re.search(r"\sJOB_GRES=gpu:(?:[^:\s(]+:)?(\d+)", line)
    memory = re.search(r"\sTRES=\S*?mem=([\d.]+)([MG])", line)
    return Job(
        number=int(value("JobId")),
        name=value("JobName"),
        account=value("Account"),
        comment=value("Comment"),
        partition=value("Partition"),
        state=value("JobState"),
        cpus=int(value("NumCPUs", r"\d+")),
        memory_mb=round(float(memory[1]) * {"M": 1, "G": 1024}[memory[2]]) if memory else 0,
        gpus=int(given[1]) if given else 0,
        restarts=int(value("Restarts", r"\d+")),
        asked=" ".join(re.findall(r"\b(TresPer(?:Job|Node)=\S+)", line)),
    )
