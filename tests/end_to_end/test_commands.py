"""Run in a finished study the commands that the pages show for one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.commands.running import run
from tests.commands.table import FINISHED, PREDICTED, Run


@pytest.fixture(scope="module")
def study(finished: Path) -> Iterator[Path]:
    """The finished study with a folder of two new knees, as a colleague may have them."""
    series = sorted(path.parent for path in (finished / "results/small/phantom/phantom").glob("00m/**/001"))
    for name, folder in zip(("one", "two"), series, strict=False):
        shutil.copytree(folder, finished / "new_knees" / name)
    yield finished
    shutil.rmtree(finished / "new_knees")
    for name in PREDICTED:
        (finished / name).unlink(missing_ok=True)


@pytest.mark.parametrize("each", FINISHED, ids=lambda each: each.command)
def test_the_command_does_what_its_page_says(study: Path, each: Run) -> None:
    run(study, each)
    if "kneeoa.apply" in each.command:
        assert set(pq.read_table(study / "predictions.parquet").column("level").to_pylist()) == {"oa", "kl"}
