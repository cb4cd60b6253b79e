"""Where a split's images lie while a run uses them: resident in memory (on a GPU, the device's
own), or streamed from their shards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

Placement = Literal["resident", "streamed"]

SHARE = 0.3
"""Of the memory that is free at the start, what resident images may take: the rest is for
activations, gradients and the optimiser.
"""
CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
"""Of versions 2 and 1: where the hierarchy is mounted, the limit's file and the usage's."""


def placed(asked: Literal["auto", "resident", "streamed"], size: int, device: torch.device) -> Placement:
    """Where ``size`` bytes of images go: where ``asked``, and for auto resident where they fit into
    :data:`SHARE` of the free memory.
    """
    if asked != "auto":
        return asked
    return "resident" if size <= SHARE * free_memory(device) else "streamed"


def free_memory(device: torch.device) -> int:
    """Bytes that can still be had: on a GPU the device's; else the machine's, or what the job's
    control group leaves of its limit.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    return min([free, *_left_by_groups(Path("/proc/self/cgroup").read_text(encoding="utf-8"))])


def _left_by_groups(membership: str) -> list[int]:
    """What each limit on the way up from the process's control group leaves, in bytes; empty where
    none is set or visible.
    """
    left = []
    for line in membership.splitlines():
        number, controllers, path = line.split(":", 2)
        if number != "0" and "memory" not in controllers.split(","):
            continue
        mount, limit, usage = CGROUPS[0 if number == "0" else 1]
        group = mount / path.lstrip("/")
        for folder in (group, *group.parents):
            if not folder.is_relative_to(mount):
                break
            try:
                left.append(int((folder / limit).read_text()) - int((folder / usage).read_text()))
            except (OSError, ValueError):  # not mounted here, or no limit ("max")
                continue
    return left
