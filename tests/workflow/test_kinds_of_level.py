"""Studies of one kind of level, through Snakemake, from tables made elsewhere to the report."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dag import copy_tree, snakemake
from tests.unit.kinds_of_level import KINDS, ORDINAL, study

SHOWN = {
    "binary": 5,
    "nominal": 5,
    "ordinal": 5,
    "multilabel": 4,
    "no contrasts": 3,
}
"""Pictures of the report."""


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(SHOWN))
def test_the_default_target_is_made_to_its_report(kind: str, tmp_path: Path) -> None:
    folder = copy_tree(tmp_path / "clone")
    levels, more = (KINDS[kind], {}) if kind in KINDS else ([ORDINAL], {"contrasts": False})
    config: dict[str, Any] = study(tmp_path, levels, **more)
    (folder / "kinds.yaml").write_text(yaml.safe_dump(config))
    run = snakemake(folder, "--cores", "2", "--configfile", "kinds.yaml")
    assert run.returncode == 0, (run.stdout + run.stderr)[-4000:]
    results = folder / "results" / "kinds"
    page = (results / "report.html").read_text()
    assert page.count("data:image/png;base64,") == SHOWN[kind] == len(list((results / "figures").glob("*.png")))
    account = json.loads((results / "predictions" / "net0-dual" / "imported.json").read_text())
    assert (account["cases"], account["subjects"], account["doubts"]) == (90, 60, [])
