"""Plans of dry runs after an edit: jobs, each with its wildcards and whether it runs for a reason
of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.dag import kind
from tests.rerun.server import output_file

_RULE = re.compile(r"^(?:local)?rule (\w+):", re.M)
_FOLLOWS = "Input files updated by another job"
TARGETS = {"all", "cohort", "volumes", "train", "statistics", "figures", "tables"}


class Job(NamedTuple):
    """A job that a dry run plans."""

    rule: str
    """With the name of what is made where the rule is `figure` or `table`: `figure roc`."""
    wildcards: dict[str, str]
    outputs: list[str]
    first: bool
    """Whether it runs for a reason of its own, and not alone because a job before it does."""


def jobs_of(text: str) -> list[Job]:
    """The jobs that Snakemake's words on a dry run name; targets, which have no output, are left
    out.
    """
    jobs = []
    for block in re.split(r"\n(?=(?:local)?rule \w+:)", text.split("Job stats:", 1)[-1]):
        rule = _RULE.match(block)
        if rule and rule[1] not in TARGETS:
            wildcards = dict(pair.split("=", 1) for pair in _field(block, "wildcards"))
            reason = re.search(r"^    reason: (.*)$", block, re.M)
            assert reason, f"a dry run no longer says why {rule[1]} runs"
            first_reasons = [part for part in reason[1].split("; ") if not part.startswith(_FOLLOWS)]
            jobs.append(Job(kind(rule[1], wildcards), wildcards, _field(block, "output"), bool(first_reasons)))
    return jobs


def _field(block: str, name: str) -> list[str]:
    line = re.search(rf"^    {name}: (.*)$", block, re.M)
    return line[1].split(", ") if line else []


class Planner:
    """Snakemake's commands in one folder, quickly (see :mod:`tests.rerun.server`)."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        kept = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SNAKEMAKE_PROFILE"}}
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("server.py")), str(folder)],
            env={**kept, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.communicate()

    def run(self, *arguments: str, refused: bool = False) -> str:
        """Return Snakemake's output for these arguments; fails with its words where it fails (or,
        with ``refused``, where it does not).
        """
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps([*arguments, "--cores", "1"]) + "\n")
        self._server.stdin.flush()
        code = self._server.stdout.readline().strip()
        text = output_file(self.folder, self._server.pid).read_text()
        assert (code != "0") == refused, text[-3000:]
        return text

    def plan(self, *arguments: str) -> list[Job]:
        """The jobs of a dry run."""
        return jobs_of(self.run("-n", *arguments))

    def mark_finished(self, *arguments: str) -> None:
        """Finish a study without running it: every output is an empty file, and Snakemake's record
        says that it was made as planned.
        """
        for job in self.plan(*arguments):
            for output in job.outputs:
                path = self.folder / output
                (path if job.rule == "phantom_images" else path.parent).mkdir(parents=True, exist_ok=True)
                if job.rule != "phantom_images":
                    path.touch()
        self.run("--touch", "--forceall", *arguments)
        left = self.plan(*arguments)
        assert left == [], f"marked as finished, and yet {left[:3]} would run"
