"""The pinned environments: complete, free of idle pins, in agreement with each other and with what
is installed. No network.
"""

import importlib.metadata
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LAYERS = ("workflow", "train", "analysis", "test")


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kneeoa_envs_lock", ROOT / "envs" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


lock = _load()


def direct(layer: str) -> list[Requirement]:
    """The packages that a layer's .in file names; training names torch in the file of the
    variants.
    """
    lines = (ROOT / "envs" / f"{layer}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")] + (direct("torch") if layer == "train" else [])


def closure(roots: list[Requirement]) -> tuple[set[str], list[str]]:
    """Everything that the installed packages say they need, and what is not as they say."""
    visited: set[str] = set()
    wrong: list[str] = []
    done: set[tuple[str, tuple[str, ...]]] = set()
    waiting = [(root, "") for root in roots]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name, extras = canonicalize_name(requirement.name), tuple(sorted(requirement.extras))
        version = Version(importlib.metadata.version(name))
        if not requirement.specifier.contains(version.public, prereleases=True):
            wrong.append(f"{requirement} but {version} is installed")
        visited.add(name)
        if (name, extras) in done:
            continue
        done.add((name, extras))
        below = [Requirement(text) for text in importlib.metadata.requires(name) or []]
        waiting += [(each, extra) for extra in ("", *extras) for each in below]
    return visited, wrong


def test_all_locks_agree() -> None:
    for variant in lock.VARIANTS:
        assert len(lock.locked(variant, *LAYERS)) > 100


@pytest.mark.parametrize("layer", LAYERS)
def test_a_lock_pins_all_that_its_layer_needs_and_nothing_else(layer: str) -> None:
    try:
        needed, wrong = closure(direct(layer))
    except importlib.metadata.PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed; `make test` installs the test layer")
    assert wrong == []
    # The variants hold torch and what only a CUDA build needs; a layer holds the rest.
    variants = set(lock.read_pins(ROOT / "envs" / "cuda.txt"))
    pinned = set(lock.read_pins(ROOT / "envs" / f"{layer}.txt"))
    assert needed - variants == {name for name in pinned if name in needed or _for_this_python(name)}


def _for_this_python(name: str) -> bool:
    """Whether a pin is not idle here: some are for an older Python than this one."""
    return not (name == "importlib-resources" and sys.version_info >= (3, 12))


@pytest.mark.parametrize("layer", ["cpu", *LAYERS])
def test_the_installed_versions_are_the_pinned_ones(layer: str) -> None:
    installed = {canonicalize_name(each.metadata["Name"]): Version(each.version).public for each in importlib.metadata.distributions()}
    pins = lock.read_pins(ROOT / "envs" / f"{layer}.txt")
    if layer == "test" and "uv" not in installed:
        pytest.skip("uv is not installed; `make test` installs the test layer")
    assert {name: installed.get(name) for name in pins} == {name: str(Version(version)) for name, version in pins.items()}


def test_the_variants_differ_in_cuda_packages_alone() -> None:
    cpu, cuda = (lock.read_pins(ROOT / "envs" / f"{variant}.txt") for variant in ("cpu", "cuda"))
    assert set(cpu) == {"torch"}
    assert cuda["torch"] == cpu["torch"]
    companions = set(cuda) - set(cpu)
    assert {"nvidia-cublas", "nvidia-nccl-cu13", "triton"} <= companions
    assert all(re.match(r"nvidia-|cuda-|triton$", name) for name in companions)
    assert not companions & set(lock.locked(*LAYERS))


def test_direct_requirements_with_a_version_are_pinned_to_it() -> None:
    pins = lock.locked("cpu", *LAYERS)
    for layer in LAYERS:
        for requirement in direct(layer):
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_plotting_is_not_part_of_training() -> None:
    assert not {"matplotlib", "seaborn", "pingouin"} & set(lock.read_pins(ROOT / "envs" / "train.txt"))


@pytest.mark.parametrize("layer", lock.CONDA)
def test_conda_files_hold_the_same_pins(layer: str) -> None:
    assert (ROOT / "envs" / f"{layer}.yaml").read_text() == lock.conda_text(layer)


def test_no_index_is_named() -> None:
    for file in (ROOT / "envs").iterdir():
        if file.is_file():
            assert not re.search(r"https?://|--(extra-)?index-url|--find-links", file.read_text()), file.name


def test_locks_that_disagree_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.txt").write_text("numpy==2.4.6\n")
    (tmp_path / "analysis.txt").write_text("numpy==2.4.5\n")
    monkeypatch.setattr(lock, "FOLDER", tmp_path)
    with pytest.raises(lock.LockError, match=r"analysis\.txt pins numpy==2\.4\.5"):
        lock.locked("train", "analysis")
