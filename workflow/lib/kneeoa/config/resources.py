"""Threads, memory and time that rules ask for. Configuration, never the machine, sets the threads:
results depend on them.
"""

from __future__ import annotations

from pydantic import Field, PositiveInt

from kneeoa.config.section import Section


class Ask(Section):
    """What one job of a stage asks of the scheduler."""

    threads: PositiveInt = 1
    """Threads, whatever the machine has."""
    memory_mb: PositiveInt = 2000
    """Grows with each attempt."""
    minutes: PositiveInt = 60
    """Grows with each attempt."""
    gpus: int = Field(default=0, ge=0, le=1)
    """GPUs; where no GPU is found a run trains on the CPU."""


class Resources(Section):
    """One ask per kind of work."""

    phantom: Ask = Ask()
    """Making the phantom."""
    ingest: Ask = Ask()
    """Reading and resampling images."""
    train: Ask = Ask(threads=1, memory_mb=4000, minutes=240, gpus=1)
    """Training and predicting."""
    explain: Ask = Ask(threads=1, memory_mb=4000, minutes=120, gpus=1)
    """Saliency."""
    analyse: Ask = Ask()
    """Statistics, geometry, anatomy, figures, tables, report."""
