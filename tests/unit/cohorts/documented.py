"""The cohorts of docs/data.md as they stand there, and files to read for them."""

import re
from pathlib import Path
from typing import Any

import yaml

from kneeoa.config.cohorts import Cohort
from tests.dag import ROOT


def blocks() -> list[dict[str, Any]]:
    """The sections of cohorts in the YAML blocks of docs/data.md."""
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    return [yaml.safe_load(block)["cohorts"] for block in re.findall(r"```yaml\n(.*?)```", text, re.S)]


def documented(name: str, reader: str = "manifest") -> Cohort:
    """The cohort of that name and reader."""
    return Cohort.model_validate(next(block[name] for block in blocks() if block.get(name, {}).get("reader") == reader))


def touch(root: Path, *paths: str) -> None:
    """Write files of one byte."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
