"""Section of resources: threads, memory and time of jobs. Threads are configured, never taken from
the machine, as results depend on them.
"""

from __future__ import annotations

from pydantic import Field, PositiveInt

from kneeoa.config.section import Section


class JobResources(Section):
    """Resources that one job requests from the scheduler."""

    threads: PositiveInt = 1
    """Number of threads, whatever the machine has."""
    memory_mb: PositiveInt = 2000
    """Memory in megabytes. It grows with each attempt."""
    minutes: PositiveInt = 60
    """Time limit in minutes. It grows with each attempt."""
    gpus: int = Field(default=0, ge=0, le=1)
    """Number of GPUs. Without a GPU, a run trains on the CPU."""


class Resources(Section):
    """Resources of jobs, by kind of work."""

    phantom: JobResources = JobResources()
    """Making the phantom."""
    ingest: JobResources = JobResources()
    """Reading and resampling images."""
    train: JobResources = JobResources(threads=1, memory_mb=4000, minutes=240, gpus=1)
    """Training and predicting."""
    explain: JobResources = JobResources(threads=1, memory_mb=4000, minutes=120, gpus=1)
    """Saliency."""
    analyse: JobResources = JobResources()
    """Statistics, geometry, anatomy, figures, tables, report."""
