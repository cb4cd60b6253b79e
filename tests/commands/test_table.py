"""Every command that a page shows is run by a test, or marked where it cannot be; one that nothing
runs fails here, with its page and line.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.pages import MARKS, Shown, UnknownBlock, commands_of, pages, shown
from tests.commands.running import clone, environment, run
from tests.commands.table import ELSEWHERE, ENTRIES, UNRUN, NotHere, Run, RunBy, listed
from tests.dag import ROOT

PLACEHOLDERS = {"~/my_cluster.yaml": "profiles/slurm-gres", "<file>": "results/a.npy"}
"""Values that a user puts in the place of words that Snakemake looks up."""


def unlisted(commands: list[Shown]) -> list[str]:
    """Commands that no entry of the table runs, with their places."""
    return [f"{each.place}: `{each.command}` is shown and no test runs it" for each in commands if each.command not in listed()]


def unmarked(commands: list[Shown], entries: tuple[NotHere, ...] = UNRUN) -> list[str]:
    """Commands that no test runs and a page shows without saying why."""
    marks = {entry.command: entry.mark for entry in entries}
    return [
        f"{each.place}: `{each.command}` cannot be run by a test, so the page must say '{marks[each.command]}'"
        for each in commands
        if each.command in marks and not each.marked(marks[each.command])
    ]


def test_every_shown_command_is_run() -> None:
    assert unlisted(shown()) == []


def test_every_entry_is_still_shown() -> None:
    assert sorted(listed() - {each.command for each in shown()}) == []


def test_no_command_has_two_entries() -> None:
    commands = [entry.command for entry in ENTRIES]
    assert sorted({command for command in commands if commands.count(command) > 1}) == []


@pytest.mark.parametrize("entry", UNRUN, ids=lambda entry: entry.command)
def test_what_no_test_runs_is_marked_in_every_page(entry: NotHere) -> None:
    assert unmarked(shown(), (entry,)) == []
    pytest.skip(f"`{entry.command}` is shown and run by no test ({entry.mark}): {entry.why}")


@pytest.mark.parametrize("entry", ELSEWHERE, ids=lambda entry: entry.command)
def test_the_test_that_runs_it_elsewhere_exists(entry: RunBy) -> None:
    for identity in entry.tests:
        name, _, function = identity.partition("::")
        text = (ROOT / name).read_text()
        if not name.endswith(".py"):
            lines = [line for line in text.splitlines() if not line.startswith("#")]
            targets = re.findall(r"\b(make [\w-]+)", "\n".join(lines))
            holds = {command for target in targets for command in _with_prerequisites(target)}
            assert entry.command in holds, f"{name} does not run `{entry.command}`"
        elif function:
            assert function in {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}, identity


def _with_prerequisites(command: str) -> set[str]:
    """A make command, and `make env` where its target takes the stamp that `env` makes."""
    recipe = re.search(rf"^{command.removeprefix('make ')}:(.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert recipe, f"the Makefile has no target for `{command}`"
    return {command, "make env"} if "made-test" in recipe[1] or "$(STAMP)" in recipe[1] else {command}


def test_every_make_target_that_is_shown_or_offered_by_make_help_is_there() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([\w-]+):", text, re.M))
    offered = set(re.findall(r'echo "make ([\w-]+)', text))
    asked = {each.command.split()[1] for each in shown() if each.command.startswith("make ")}
    assert sorted((offered | asked) - targets) == []


def test_snakemake_takes_every_shown_command_as_it_is_meant() -> None:
    """Options that exist, and a configuration file that has not swallowed a target."""
    commands = {each.command: each.place for each in shown() if re.match(r"(\.venv/bin/)?snakemake ", each.command)}
    assert len(commands) > 20
    assert _misread(commands) == []


def _misread(commands: dict[str, str]) -> list[str]:
    """The commands that Snakemake refuses or takes otherwise than they are meant, with their
    places.
    """
    lines = []
    for command in commands:
        for placeholder, instead in PLACEHOLDERS.items():
            command = command.replace(placeholder, instead)
        lines.append(command.partition("snakemake ")[2])
    script = [sys.executable, "-m", "tests.commands.snakemake_words"]
    done = subprocess.run(script, input="\n".join(lines), cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(answers) == len(commands)
    return [
        f"{place}: `{command}`: {answer}"
        for (command, place), answer in zip(commands.items(), answers, strict=True)
        if "error" in answer or not all(name.endswith((".yaml", ".yml", ".json")) for name in answer["files"])
    ]


def test_a_target_behind_the_configuration_file_and_an_unknown_option_are_seen() -> None:
    wrong = {"snakemake --configfile tests/small.yaml report": "a:1", "snakemake --coers 2": "b:2"}
    assert [line.split(":")[0] for line in _misread(wrong)] == ["a", "b"]
    assert _misread({"snakemake report --configfile tests/small.yaml": "c:3"}) == []


PAGE = """# A page
```sh
make demo
make unheard-of          # a comment; make demo
make env VARIANT=cuda    # downloads gigabytes
# snakemake --cores 3 figures
python -m \\
    one.module
```
Prose with `snakemake --cores 5
report`, the name `make` and the option `--cores 2`.

| a | `git push \\| cat` |
"""


def test_commands_are_found_wherever_a_page_shows_them() -> None:
    assert [(each.line, each.command) for each in commands_of(PAGE, "p.md")] == [
        (3, "make demo"),
        (4, "make unheard-of"),
        (5, "make env VARIANT=cuda"),
        (6, "snakemake --cores 3 figures"),
        (8, "python -m one.module"),
        (10, "snakemake --cores 5 report"),
        (13, "git push | cat"),
    ]


def test_an_unlisted_and_an_unmarked_command_are_named_with_their_line() -> None:
    page = commands_of("```sh\nmake unheard-of\nmake env VARIANT=cuda  # once\n```\n", "p.md")
    assert unlisted(page) == ["p.md:2: `make unheard-of` is shown and no test runs it"]
    assert unmarked(page) == ["p.md:3: `make env VARIANT=cuda` cannot be run by a test, so the page must say 'downloads'"]
    assert unmarked(commands_of(PAGE, "p.md")) == []


def test_a_block_that_does_not_say_what_it_holds_is_refused() -> None:
    with pytest.raises(UnknownBlock, match=r"p\.md:3"):
        commands_of("# A page\n\n```\nmake demo\n```\n", "p.md")


def test_a_command_that_is_broken_on_purpose_fails(tmp_path: Path) -> None:
    """Ends with an error, makes nothing, says something else; or its small form fits no longer."""
    for broken, words in (
        (Run("ls no-such-file"), "ends with"),
        (Run("ls no-such-file | cat"), "ends with"),
        (Run("true", makes=("a.txt",)), "does not make"),
        (Run("echo one", says="two"), "does not say 'two'"),
        (Run("echo one", small={"three": "four"}), "no 'three' to replace"),
    ):
        with pytest.raises(AssertionError, match=words):
            run(tmp_path, broken)
    (tmp_path / "a.txt").write_text("of another time")
    with pytest.raises(AssertionError, match="does not make"):
        run(tmp_path, Run("true", makes=("a.txt",)))
    assert run(tmp_path, Run("echo $WORD", small={"...": "two"}, after=("export WORD=...",))) == "two\n"


def test_a_clone_has_the_users_programs_and_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("MAKEFLAGS", "n")
    folder = clone(tmp_path / "clone")
    assert "PYTHONPATH" not in environment(folder)
    assert "MAKEFLAGS" not in environment(folder)
    printed = run(folder, Run("command -v snakemake; make -n demo; python -c 'import sys; print(sys.prefix)'"))
    assert printed.splitlines() == [str(folder / ".venv/bin/snakemake"), ".venv/bin/snakemake --cores all", str(folder / ".venv")]


def test_the_pages_and_the_marks_are_known() -> None:
    assert {"README.md", "CONTRIBUTING.md"} <= {str(path.relative_to(ROOT)) for path in pages()}
    assert {entry.mark for entry in UNRUN} <= set(MARKS)
