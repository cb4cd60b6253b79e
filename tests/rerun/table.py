"""Writes the rerun table as a page: `python -m tests.rerun.table > docs/reruns.md`."""

from __future__ import annotations

import sys

from tests.rerun import code, files, keys_of_analyses, keys_of_data, keys_of_runs
from tests.rerun.row import Row

HEADER = """# What an edit reruns

Generated (`make reference`) from `tests/rerun/`, where what each edit should rerun is stated by
hand. A test (`tests/rerun/test_table.py`) makes every edit in a finished study, asks Snakemake what
it would run, and holds the answer against the row. *First* are the rules that depend on what is
edited; *in all* counts them and the rules that follow from their files, in a study that has every
rule. Edits of the configuration also make the report anew, which prints the configuration's digest.

- The code of a rule is every function, class and constant that its script reaches. A row that names
  a file edits all of the file's definitions, a row that names a definition that one alone.
- A version of a package counts for the rules that reach a definition which uses it, as the locks in
  `envs/` pin it: another matplotlib draws the figures again and trains nothing, another numpy makes
  nearly everything again, and a package that none of them uses makes nothing again. pydantic,
  pyarrow and safetensors carry numbers without computing any, so their versions do not count. Under
  `--sdm conda` Snakemake also compares each layer's whole environment, and any pin of a layer makes
  that layer's rules run.
- Raw files count by path, size and time stamp; their bytes are not read before a job does. A
  touched raw file is a new one.

## Results that were copied here
A fresh clone beside copied `results/` has nothing to do. Where Snakemake has no record of a run,
the run is asked: `run.json` holds the digests of its code, of its slice of the configuration, and
of the small files that stand for its data (lists of shards, splits, labels). Where one of them is
not what this clone would use, the workflow stops before any job, lists the runs and what differs
(of code: the definitions by name, from `results/<study>/code/`), and prints the two commands to
choose from: train them again, or believe them (`KNEEOA_COPIED=known`). Results other than runs say
nothing of themselves: they are believed if they are newer than what they were made from. A file of
pretrained weights is known by its name alone.

## A definition that moves or gets another name
`workflow/renamed.json` says so, `{"kneeoa.new:name": "kneeoa.old:name"}`, and nothing is made
again. A module's entry, `{"kneeoa.new": "kneeoa.old"}`, holds for all of its definitions, a
package's for all of its modules.

## An edit that changes no result
`make accept` proves it: the small study runs at the last commit and, where the edit touches it,
again in the working tree; all files that were made again must be equal byte by byte. Then the new
digests are written into `workflow/accepted.json`, to be committed with the edit, as equal to the
old ones, and a finished study has nothing to do. One file that differs is named, and nothing is
written. Left out of the comparison are the report's page (it prints digests), times, memory and
device in `run.json`, the seconds of an epoch, logs and benchmarks. What is proved is proved for the
codes that the study uses: `--configfile` proves it on another one, for other backbones.
"""

SECTIONS = (
    ("Nothing that matters", files.INERT),
    ("Raw files", files.RAW),
    ("Packages", files.PACKAGES),
    ("Keys of the configuration: data", keys_of_data.ROWS),
    ("Keys of the configuration: runs", keys_of_runs.ROWS),
    ("Keys of the configuration: analyses", keys_of_analyses.ROWS),
    ("Code of the library", code.ROWS),
)


def markdown() -> str:
    """The page."""
    parts = [HEADER]
    for title, rows in SECTIONS:
        parts.append(f"## {title}\n\n| edit | first | in all |\n|---|---|---|")
        parts += [_line(row) for row in rows]
        parts.append("")
    return "\n".join(parts)


def _line(row: Row) -> str:
    names = sorted(row.first)
    first = ", ".join(names) if len(names) <= LONG else f"{len(names)} rules: {', '.join(names[:LONG])}, ..."
    of = f" (of {', '.join(sorted(row.arms))})" if row.arms else ""
    return f"| {row.name} | {first or 'nothing'}{of} | {len(row.all)} |"


LONG = 12
"""Longest list of rules that is written out."""

if __name__ == "__main__":
    sys.stdout.write(markdown())
