"""Resources that rules ask of a cluster, read off their text."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.dag import ROOT


class Ask(NamedTuple):
    """The kinds of work, ``STUDY.resources.<kind>``, whose threads and whose GPUs a rule asks for;
    no GPU: an empty one.
    """

    threads: str
    gpus: str


def asks() -> dict[str, Ask]:
    """The ask of every rule that reaches a cluster, by name; a local rule never does."""
    wanted = {}
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        for block in re.split(r"^(?=rule )", file.read_text(), flags=re.M):
            threads = re.search(r"^    threads: STUDY\.resources\.(\w+)\.threads$", block, re.M)
            gpus = re.search(r"^ +gpu=STUDY\.resources\.(\w+)\.gpus,$", block, re.M)
            if threads and "localrule: True" not in block:
                wanted[block.split(":")[0].removeprefix("rule ")] = Ask(threads[1], gpus[1] if gpus else "")
    return wanted


def gpu_rules() -> set[str]:
    """The rules that ask for a GPU."""
    return {rule for rule, ask in asks().items() if ask.gpus}
