"""The plug-in module on files of the published module's own outputs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dag import ROOT

pytestmark = pytest.mark.real
_REAL = os.environ.get("KNEEOA_REAL_DATA")


@pytest.mark.skipif(not _REAL, reason="KNEEOA_REAL_DATA is not set")
@pytest.mark.parametrize("case", ["pim_maps", "pim_tokens", "pim_equal"])
def test_outputs_and_losses_of_the_published_module_are_equal(case: str) -> None:
    file = Path(str(_REAL)) / "pim_reference" / f"{case}.npz"
    command = [sys.executable, "-m", "kneeoa.plugins.reference", str(file)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow" / "lib")}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    worst = json.loads(run.stdout.splitlines()[-1])
    assert set(worst) == {"eval", "train", "loss"}
    assert max(worst.values()) < 1e-10
