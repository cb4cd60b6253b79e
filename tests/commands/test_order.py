"""Snakemake's `--configfile` takes every word behind it for another file: nothing that the project
shows or prints may put a target there.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kneeoa.errors import rerun_hint
from kneeoa.reruns.copied_results import stale_message
from tests.dag import ROOT

_SWALLOWED = re.compile(r"--configfiles? +(?P<file>[^\s`'\"]+) +(?P<word>[^\s`'\"#|-][^\s`'\"]*)")


def swallowed(text: str) -> list[tuple[int, str]]:
    """Line and word of what would be taken for a second configuration file."""
    return [
        (text[: match.start()].count("\n") + 1, match["word"])
        for match in _SWALLOWED.finditer(text)
        if not match["word"].endswith((".yaml", ".yml", ".json"))
    ]


def texts() -> list[Path]:
    """Every file of the tree that shows or prints something to its users: all but the tests'."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    endings = {".md", ".py", ".smk", ".yaml", ".toml", ".R", ""}
    files = [ROOT / name for name in listed.stdout.splitlines() if not re.match(r"tests/.*\.py$", name)]
    return [path for path in files if path.is_file() and path.suffix in endings]


def test_no_page_comment_or_message_puts_a_target_behind_the_configuration_file() -> None:
    files = texts()
    assert {ROOT / "README.md", ROOT / "Makefile", ROOT / "Snakefile", ROOT / "workflow/lib/kneeoa/errors.py"} <= set(files)
    broken_orders = [
        f"{path.relative_to(ROOT)}:{line}: '{word}'" for path in files for line, word in swallowed(path.read_text(errors="replace"))
    ]
    assert broken_orders == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("snakemake --configfile x.yaml train", [(1, "train")]),
        ("\nsnakemake --cores 2 --configfile x.yaml results/a.npy -n", [(2, "results/a.npy")]),
        ("snakemake train --configfile x.yaml", []),
        ("snakemake --configfile a.yaml b.yaml", []),
        ("snakemake --configfile x.yaml -n", []),
        ("`--configfile x.yaml` is one of two", []),
        ("snakemake --configfile x.yaml   # once", []),
    ],
)
def test_what_would_be_swallowed_is_seen(text: str, words: list[tuple[int, str]]) -> None:
    assert swallowed(text) == words


def taken(words: str) -> str:
    """The words of a command as Snakemake takes them."""
    command = [sys.executable, "-m", "tests.commands.snakemake_words"]
    done = subprocess.run(command, input=words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.splitlines()[-1]


def test_the_words_that_mend_a_damaged_file_work_with_the_options_of_any_command() -> None:
    words = re.search(r"'snakemake (.*)'", rerun_hint("results/s/a.npy"))
    assert words
    assert '"targets": ["results/s/a.npy"]' in taken(f"{words[1]} --cores 2 --configfile tests/small.yaml")


def test_the_words_that_train_copied_runs_again_may_follow_any_command() -> None:
    weights = "results/s/runs/a/seed-1/weights.safetensors"
    line = next(line for line in stale_message({weights: ["code"]}).splitlines() if "--forcerun" in line)
    words = shlex.join(shlex.split(line.partition("<as before>")[2]))
    answer = taken(f"train --cores 2 --configfile tests/small.yaml {words}")
    assert '"targets": ["train"], "files": ["tests/small.yaml"]' in answer
