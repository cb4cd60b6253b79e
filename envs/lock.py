"""Make or check the pinned environments: `python envs/lock.py lock` and `python envs/lock.py
check`.

Each `<layer>.in` names what a layer of the workflow uses directly; its `<layer>.txt` pins that and
everything below it. All layers come from one resolution, so that any set of them can be installed
together. `torch.in` gives two variants, `cpu.txt` and `cuda.txt`, which differ only in the CUDA
packages that torch's Linux build requires; the other layers leave both out. The conda files hold
the same pins. Nothing but metadata is downloaded. The package index is the one that pip's
PIP_INDEX_URL (or uv's UV_DEFAULT_INDEX) names, else uv's default.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LAYERS = ("workflow", "train", "analysis", "test")
VARIANTS = ("cpu", "cuda")
CONDA = {"workflow": ("workflow",), "train": ("cuda", "train"), "analysis": ("analysis",)}
LINUX, MAC = "x86_64-manylinux_2_28", "aarch64-apple-darwin"
ONLY_LINUX = ' ; sys_platform == "linux" and platform_machine == "x86_64"'
TESTED = "3.11"
ALLOWED = ("3.11", "3.12", "3.13")
HEADER = "# Made by envs/lock.py from {source}; do not edit."

Pins = dict[str, str]


class LockError(Exception):
    """The pinned files do not resolve, or do not agree with each other."""


def normal(name: str) -> str:
    """A distribution's name as indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> Pins:
    """The `name==version` lines of a file; markers and comments are left out."""
    pins: Pins = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        requirement = line.split(" ;")[0].split("#")[0].strip()
        if "==" in requirement:
            name, version = requirement.split("==")
            pins[normal(name)] = version
    return pins


def locked(*names: str) -> Pins:
    """The pins of several locks together; LockError where two of them disagree."""
    together: Pins = {}
    for name in names:
        for package, version in read_pins(FOLDER / f"{name}.txt").items():
            if together.setdefault(package, version) != version:
                raise LockError(f"{name}.txt pins {package}=={version}, another lock =={together[package]}; run envs/lock.py lock.")
    return together


def resolve(inputs: list[str], constraints: Pins, platform: str = LINUX, python: str = TESTED) -> Pins:
    """The whole closure of some `.in` files under constraints, by metadata alone; LockError with
    uv's words if there is none.
    """
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        raise LockError("uv is not installed beside this Python; `make check-envs` installs it with the test tools.")
    # Never another interpreter than this one: metadata needs none, and uv would look for one to
    # download.
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "MACOSX_DEPLOYMENT_TARGET": "14.0"}
    if index := os.environ.get("PIP_INDEX_URL"):
        environment.setdefault("UV_DEFAULT_INDEX", index)
    with tempfile.TemporaryDirectory() as folder:
        limits, out = Path(folder, "limits.txt"), Path(folder, "resolved.txt")
        limits.write_text("".join(f"{name}=={version}\n" for name, version in constraints.items()))
        command = [uv, "pip", "compile", "--quiet", "--no-config", "--no-annotate", "--no-header", "--python", sys.executable]
        command += ["--python-version", python, "--python-platform", platform, "--constraint", str(limits), "-o", str(out)]
        command += [str(FOLDER / f"{name}.in") for name in inputs]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise LockError(f"No resolution of {', '.join(inputs)} for Python {python} on {platform}:\n{done.stderr.strip()}")
        return read_pins(out)


def text_of(pins: Pins, source: str, marker: str = "", marked: frozenset[str] = frozenset()) -> str:
    """A lock's text: one pin a line, sorted; `marker` follows the names in `marked`."""
    lines = [f"{name}=={version}{marker if name in marked else ''}" for name, version in sorted(pins.items())]
    return "\n".join([HEADER.format(source=source), *lines, ""])


def conda_text(layer: str) -> str:
    """The conda file of a layer. The pins stand in it, as Snakemake copies and hashes this file
    alone, not files that it names.
    """
    pins = [line for name in CONDA[layer] for line in (FOLDER / f"{name}.txt").read_text().splitlines() if not line.startswith("#")]
    head = [HEADER.format(source=" and ".join(f"{name}.txt" for name in CONDA[layer])), "channels:", "  - conda-forge", "  - nodefaults"]
    items = [f"      - {pin}" if " ;" not in pin else f"      - '{pin}'" for pin in pins]
    return "\n".join([*head, "dependencies:", f"  - python={TESTED}", "  - pip", "  - pip:", *items, ""])


def lock(upgrade: bool) -> None:
    """Write every lock and conda file. Versions that are pinned already stay, unless `upgrade`."""
    everything = ["torch", *LAYERS]
    union = resolve(everything, {} if upgrade else locked(*VARIANTS, *LAYERS))
    torch_mac, torch_linux = resolve(["torch"], union, MAC), resolve(["torch"], union)
    companions = frozenset(torch_linux) - frozenset(torch_mac)
    torch = {"torch": union["torch"]}
    (FOLDER / "cpu.txt").write_text(text_of(torch, "torch.in"))
    (FOLDER / "cuda.txt").write_text(text_of(torch | {name: union[name] for name in companions}, "torch.in", ONLY_LINUX, companions))
    for layer in LAYERS:
        inputs = ["torch", layer] if layer == "train" else [layer]
        pins = {name: version for name, version in resolve(inputs, union).items() if name != "torch" and name not in companions}
        (FOLDER / f"{layer}.txt").write_text(text_of(pins, f"{layer}.in"))
    for layer in CONDA:
        (FOLDER / f"{layer}.yaml").write_text(conda_text(layer))


def check() -> list[str]:
    """Resolve the pins anew: complete on Linux with CUDA, a subset for the CPU build on a Mac, on
    every allowed Python.

    Returns one sentence for each resolution that was checked; raises LockError at the first that
    fails.
    """
    everything, sentences = ["torch", *LAYERS], []
    for layer in CONDA:
        if (FOLDER / f"{layer}.yaml").read_text() != conda_text(layer):
            raise LockError(f"envs/{layer}.yaml does not hold the pins of its locks; run envs/lock.py lock.")
    for variant, platform in (("cuda", LINUX), ("cpu", MAC)):
        pins = locked(variant, *LAYERS)
        for python in ALLOWED:
            resolved = resolve(everything, pins, platform, python)
            if loose := sorted(set(resolved) - set(pins)):
                raise LockError(f"{variant}, Python {python}: not pinned: {', '.join(loose)}; run envs/lock.py lock.")
            if (python, platform) == (TESTED, LINUX) and (idle := sorted(set(pins) - set(resolved))):
                raise LockError(f"{variant}: pinned but not needed: {', '.join(idle)}; run envs/lock.py lock.")
            sentences.append(f"{variant:4} {platform:22} Python {python}: {len(resolved)} packages, all pinned")
    return sentences


def main() -> int:
    """Read the command line; 0 when all is well, 1 with a sentence on standard error otherwise."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("action", choices=("lock", "check"))
    parser.add_argument("--upgrade", action="store_true", help="lock: take the newest versions instead of those pinned already")
    arguments = parser.parse_args()
    try:
        if arguments.action == "lock":
            lock(arguments.upgrade)
        else:
            print("\n".join(check()))
    except LockError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
