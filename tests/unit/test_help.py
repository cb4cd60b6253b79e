"""Every example that a command's `--help` shows is one that the command takes."""

from __future__ import annotations

import shlex

from kneeoa.apply import EXAMPLES, parser


def test_the_examples_of_apply_are_commands_that_it_takes() -> None:
    commands = [line.strip() for line in EXAMPLES.splitlines() if line.strip().startswith("python -m")]
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(command)
        assert words[:3] == ["python", "-m", "kneeoa.apply"]
        chosen = parser().parse_args(words[3:])
        assert chosen.runs
        assert chosen.out.suffix == ".parquet"
