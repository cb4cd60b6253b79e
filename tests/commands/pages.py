"""The commands that the pages show: whole lines of `sh` blocks, commands in a comment there, and
whole commands between backticks in prose and tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.dag import ROOT

MARKS = ("needs a GPU", "on a cluster", "downloads", "the long suite")
"""Words by which a page says that a command cannot run everywhere: in the command's comment or the
comment above it, in its paragraph or row, or in a heading above it.
"""
_OF_A_CLUSTER = "sinfo|squeue|scancel|scontrol|sacct|sacctmgr|sbatch"
_PROGRAMS = f"make|snakemake|python3?|pytest|ruff|snakefmt|mypy|pip|uv|git|rsync|rocrate-validator|export|tail|{_OF_A_CLUSTER}"
_COMMAND = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:\.|(?:\.venv/bin/)?(?:{_PROGRAMS})) \S")
"""A program with a word at least: `make` alone is a name."""
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_HEADING = re.compile(r"(#+) (.*)")


class UnknownBlock(AssertionError):
    """A fenced block that does not say what it holds, so that commands in it would go unseen."""


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it, without its comment."""

    command: str
    page: str
    line: int
    context: str = field(compare=False)
    """Headings above it, its comments, its paragraph or row."""

    @property
    def place(self) -> str:
        """Page and line."""
        return f"{self.page}:{self.line}"

    def marked(self, mark: str) -> bool:
        """Whether the page says so of it."""
        return mark.lower() in self.context.lower()


def pages() -> list[Path]:
    """The pages that people read."""
    return [ROOT / "README.md", *(path for name in ("CONTRIBUTING.md", "CHANGELOG.md") if (path := ROOT / name).is_file()),
            *sorted((ROOT / "docs").rglob("*.md"))]  # fmt: skip


def shown() -> list[Shown]:
    """Every command of every page."""
    return [command for page in pages() for command in commands_of(page.read_text(), str(page.relative_to(ROOT)))]


def commands_of(text: str, page: str) -> list[Shown]:
    """The commands of one page, in its order.

    Raises:
        UnknownBlock: a fenced block has no language.
    """
    return list(_commands(text.splitlines(), page))


def _commands(lines: list[str], page: str) -> Iterator[Shown]:
    headings: dict[int, str] = {}
    number = 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("```"):
            end = next(place for place in range(number + 1, len(lines)) if lines[place].startswith("```"))
            language = line.removeprefix("```").strip()
            if not language:
                raise UnknownBlock(
                    f"{page}:{number + 1}: the block does not say what it holds: ```sh for commands, else ```yaml, ```csv, ..."
                )
            if language == "sh":
                yield from _of_block(lines[number + 1 : end], page, number + 2, " / ".join(headings.values()))
            number = end + 1
        elif heading := _HEADING.match(line):
            level = len(heading[1])
            headings = {above: words for above, words in headings.items() if above < level} | {level: heading[2]}
            number += 1
        else:
            end = _end_of_paragraph(lines, number)
            yield from _of_prose(lines[number:end], page, number + 1, " / ".join(headings.values()))
            number = end


def _end_of_paragraph(lines: list[str], start: int) -> int:
    """The line after the paragraph, list entry or row that begins at ``start``."""
    end = start + 1
    row = lines[start].startswith("|")
    while not row and end < len(lines) and lines[end].strip() and not re.match(r"```|#+ |\||\s*(?:[-*]|\d+\.) ", lines[end]):
        end += 1
    return end


def _of_block(lines: list[str], page: str, first: int, headings: str) -> Iterator[Shown]:
    above, begun = "", ""
    for number, line in enumerate(lines, first):
        code, _, comment = (begun + line).partition(" #") if not line.startswith("#") else ("", "", line[1:])
        if code.rstrip().endswith("\\"):
            begun = code.rstrip()[:-1]
            continue
        begun = ""
        if code.strip():
            yield Shown(" ".join(code.split()), page, number, f"{headings} / {above} / {comment}")
        if _COMMAND.match(comment.strip()):
            yield Shown(" ".join(comment.split()), page, number, f"{headings} / {above}")
        above = comment if not code.strip() else ""


def _of_prose(lines: list[str], page: str, first: int, headings: str) -> Iterator[Shown]:
    text = "\n".join(lines)
    indented = [(number, line) for number, line in enumerate(lines, first) if line.startswith("    ") and _COMMAND.match(line.strip())]
    for number, line in indented:  # a block without a fence
        yield Shown(" ".join(line.partition(" #")[0].split()), page, number, f"{headings} / {line}")
    for match in _INLINE.finditer(text):
        command = " ".join(match[1].replace("\\|", "|").split())
        if _COMMAND.match(command):
            yield Shown(command, page, first + text[: match.start()].count("\n"), f"{headings} / {' '.join(text.split())}")
