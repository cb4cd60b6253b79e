"""Runs Snakemake in a copy of the working tree and reads what it plans: the jobs of a dry run, by
rule and wildcards.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.suites import LAST_RESORT

ROOT = Path(__file__).parents[1]
_RULE = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):", re.M)


def copy_tree(target: Path) -> Path:
    """Copy what a clone would hold (tracked files and new ones that git does not ignore) to
    ``target``.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_symlink() or source.is_file():  # a file deleted but still in the index is neither
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    return target


def snakemake(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in ``folder`` with this Python; the library of that folder's own tree is used,
    not this one's.
    """
    variables = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SNAKEMAKE_PROFILE"}}
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env={**variables, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=LAST_RESORT,
    )


def planned(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> list[tuple[str, dict[str, str]]]:
    """The jobs that a dry run plans: (rule, wildcards). Fails with Snakemake's own words."""
    run = snakemake(folder, "-n", "--cores", "1", *arguments, environment=environment)
    text = run.stdout + run.stderr
    assert run.returncode == 0, text[-4000:]
    jobs = []
    for block in re.split(r"\n(?=(?:local)?rule \w+:)", text.split("Job stats:", 1)[-1]):
        rule = _RULE.match(block)
        if rule:
            wildcards = re.search(r"^    wildcards: (.*)$", block, re.M)
            pairs = [pair.split("=", 1) for pair in wildcards[1].split(", ")] if wildcards else []
            jobs.append((rule[1], dict(pairs)))
    return jobs


def kind(rule: str, wildcards: dict[str, str]) -> str:
    """The rule of a job; of the rules `figure` and `table` with the name of what is made."""
    return f"{rule} {wildcards[rule]}" if rule in ("figure", "table") else rule


def rules(jobs: list[tuple[str, dict[str, str]]]) -> set[str]:
    """The rules of a plan, figures and tables by their names: `figure roc`."""
    return {kind(rule, wildcards) for rule, wildcards in jobs}
