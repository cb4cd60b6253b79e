"""Decide where a split's images are kept during a run: resident in memory (on a GPU, the device's),
or streamed from their shards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

Storage = Literal["resident", "streamed"]

SHARE = 0.3
"""Share of the free memory at the start that resident images may take; the rest is for activations,
gradients and the optimiser.
"""
CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
"""Control groups of version 2 and 1: the mount point, the file of the limit and that of the
usage.
"""


def choose_storage(asked: Literal["auto", "resident", "streamed"], size: int, device: torch.device) -> Storage:
    """Choose where ``size`` bytes of images are kept: as ``asked``; for auto, resident where they
    fit into :data:`SHARE` of the free memory.
    """
    if asked != "auto":
        return asked
    return "resident" if size <= SHARE * free_memory(device) else "streamed"


def free_memory(device: torch.device) -> int:
    """Free memory in bytes: on a GPU the device's; else the machine's, or what is left of the limit
    of the job's control group.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    return min([free, *_free_by_control_group(Path("/proc/self/cgroup").read_text(encoding="utf-8"))])


def _free_by_control_group(membership: str) -> list[int]:
    """Bytes left of each limit, from the process's control group up to the root; empty where no
    limit is set or visible.
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
