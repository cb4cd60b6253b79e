"""Run on the private cluster the commands that the pages show for looking at one; and the benchmark
that starts one of its own.
"""

import json
from pathlib import Path

import pytest

from tests.commands.running import clone, run
from tests.commands.table import PACKING, SCHEDULER, Run
from tests.slurm.cluster import Cluster, missing

pytestmark = pytest.mark.slurm


@pytest.mark.parametrize("each", SCHEDULER, ids=lambda each: each.command)
def test_the_command_does_what_its_page_says(slurm_cluster: Cluster, tmp_path: Path, each: Run) -> None:
    run(tmp_path, each, slurm_cluster.environment)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(bool(missing()), reason="SLURM is not installed here")
def test_the_benchmark_of_packing_ends_with_its_figures(tmp_path: Path) -> None:
    assert json.loads(run(clone(tmp_path / "clone"), PACKING).splitlines()[-1])
