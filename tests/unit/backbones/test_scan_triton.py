"""The Triton kernels of the scan, without a GPU: compiled to its machine code, and run program by
program by Triton's interpreter.
"""

import os
import subprocess
import sys

import pytest

triton = pytest.importorskip("triton", reason="Triton is made for Linux on x86-64 alone")


@pytest.fixture
def compiled(tmp_path, monkeypatch):
    """Compile a kernel for a compute capability: what is no number is a tensor of float32."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    numbers = {"steps", "rows", "channels", "states"}

    def compile_for(capability, kernel, **constants):
        names = kernel.arg_names
        signature = {name: "constexpr" if name in constants else "i32" if name in numbers else "*fp32" for name in names}
        source = ASTSource(fn=kernel, signature=signature, constexprs={(names.index(name),): value for name, value in constants.items()})
        return triton.compile(source, target=GPUTarget("cuda", capability, 32))

    return compile_for


@pytest.mark.parametrize("capability", [80, 90, 100], ids=["A100", "H100", "B200"])
@pytest.mark.parametrize("name", ["forward_kernel", "adjoint_kernel", "gradient_kernel"])
def test_they_compile(compiled, name, capability):
    from kneeoa.backbones import scan_triton

    read = {"READ": True} if name == "forward_kernel" else {}
    made = compiled(capability, getattr(scan_triton, name), N=16, W=scan_triton.CHANNELS, **read)
    assert f".target sm_{capability}" in made.asm["ptx"]
    assert made.asm["cubin"][:4] == b"\x7fELF"


INTERPRETED = """
import torch
from kneeoa.backbones import scan_triton, selective_scan as module
from tests.unit.backbones.test_selective_scan import arguments, relative

scan_triton.CHANNELS = 2  # so that channels take several blocks
module.HELD_STATES = {"cpu": 100}
for length, channels, states in [(1, 3, 4), (2, 1, 1), (17, 3, 3), (16, 4, 2)]:
    given, weights = arguments(length, torch.float64, channels=channels, states=states)
    found, expected = module.chunked_scan(*given, scan_triton), module.selective_scan_reference(*given)
    assert relative(found, expected) < 1e-12, (length, channels, states)
    gradients = [torch.autograd.grad((each * weights).sum(), given) for each in (found, expected)]
    for mine, theirs in zip(*gradients, strict=True):
        assert (mine - theirs).abs().max() <= 1e-12 * theirs.abs().max(), (length, channels, states)
print("agreed")
"""


def test_they_agree_with_the_recurrence_values_and_gradients(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")  # heard once, when Triton is imported: hence a process of its own
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    done = subprocess.run([sys.executable, "-c", INTERPRETED], capture_output=True, text=True)
    assert done.stdout == "agreed\n", done.stderr[-3000:]
