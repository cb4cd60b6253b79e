"""Jobs that run a network by the hundred do not import torch's compiler, which takes longer than
torch itself.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[3] / "workflow" / "lib"

JOB = """
    import sys
    import torch
    from kneeoa.config.hierarchy import Level
    from kneeoa.config.modes import Mode
    from kneeoa.network.model import ModelSpec, build, load, save
    from kneeoa.training.optimizer import AdamW
    from kneeoa.training.device import reproducible

    level = Level(name="oa", kind="binary", classes=("no", "yes"))
    mode = Mode(kind="single", levels=("oa",))
    spec = ModelSpec(backbone="{kind}", options={options}, dimensions=3, shape=(18, 18, 18), mode=mode, levels=(level,))
    with reproducible(1):
        save(build(spec), spec, "run")
        network, _ = load("run")
        network(torch.randn(2, 1, *spec.shape)).logits["oa"].sum().backward()
        AdamW(network.parameters(), 1e-4).step()
    print([name for name in ("torch._dynamo", "torch._inductor") if name in sys.modules])
"""

NETWORKS = {
    "resnet3d": {"width": 4},
    "m3t": {"channels": 2, "cnn_width": 4, "projection": 8, "embedding": 8, "depth": 1, "heads": 2},
    "nnmamba": {"channels": 4, "blocks": 1, "state": 2},
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_run_that_compiles_nothing_imports_no_compiler(tmp_path: Path, kind: str) -> None:
    job = textwrap.dedent(JOB).format(kind=kind, options=NETWORKS[kind])
    environment = os.environ | {"PYTHONPATH": str(LIBRARY)}
    done = subprocess.run([sys.executable, "-c", job], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
