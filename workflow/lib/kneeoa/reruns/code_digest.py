"""A digest of the code that a result depends on: a script and every definition that it reaches.

Snakemake watches a script's time stamp and nothing that the script imports. Each rule carries this
digest as a param instead. It follows names through the library's absolute imports: from a script to
the functions, classes and constants that it refers to, and on from those
(:mod:`kneeoa.reruns.definitions`), so that an edit of one function reruns what reaches that
function. Three things are not followed by name:

- members of a registry (backbones, modes, cohort readers), which are imported lazily by name: the
  rule names the modules that it uses, and all of their definitions count;
- a module that is handed on whole (`f(module)`, `getattr(module, name)`): all of it counts;
- statements that run when a module is imported, and packages imported for that alone: they count
  wherever the module is imported, reached or not.

The pinned version of every package that a reached definition refers to belongs to the digest too. A
definition that was moved or renamed keeps its digest through the table of renames
(:mod:`kneeoa.reruns.renames`).
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from kneeoa.files import write_json
from kneeoa.reruns import definitions
from kneeoa.reruns.definitions import EFFECTS, Definition, Definitions
from kneeoa.reruns.renames import Renames

PACKAGE = "kneeoa"
_LIBRARY = Path(__file__).resolve().parents[2]
_SCRIPT = "script"
"""Name of the script among the modules: it has none of its own."""

# These word errors and log lines, or watch, and cannot change a result: rewording a sentence must
# not retrain sixty networks.
WORDS_ONLY = frozenset(
    {
        "kneeoa.errors",
        "kneeoa.config.sentences",
        "kneeoa.copied",
        "kneeoa.job",
        "kneeoa.training.event_files",
        "kneeoa.training.power",
        "kneeoa.training.watching",
    }
)

# These check the configuration or carry numbers without loss: another version of them computes
# nothing anew.
_CARRIERS = frozenset({"pydantic", "pydantic-core", "pyarrow", "safetensors"})

_LAYERS = ("analysis", "train", "cpu", "cuda")

# Distributions that are not called what is imported.
_DISTRIBUTIONS = {"PIL": "pillow", "gdcm": "python-gdcm", "sklearn": "scikit-learn", "yaml": "pyyaml"}


class Reached(NamedTuple):
    """What a script depends on."""

    parts: dict[str, str]
    """Digest of each definition by ``module:name``, names as the table of renames has them."""
    modules: frozenset[str]
    """Modules of the library that are imported."""
    packages: frozenset[str]
    """Packages outside that the definitions refer to, by the name that is imported."""

    @property
    def distributions(self) -> set[str]:
        """The distributions whose versions belong to the code."""
        return {_DISTRIBUTIONS.get(name, name.lower().replace("_", "-")) for name in self.packages} - _CARRIERS


def code_digest(
    script: str | Path,
    modules: Iterable[str] = (),
    files: Iterable[str | Path] = (),
    pins: Mapping[str, str] | None = None,
    renames: Renames | None = None,
) -> str:
    """Sixteen hexadecimal characters for a script, all that it reaches, and extra members.

    Args:
        script: path of the rule's script.
        modules: dotted names of lazily imported members that this job uses, with what they reach.
        files: data files of the library (templates) that the script reads; compared byte by byte.
        pins: versions of distributions; those that are imported count.
        renames: earlier names of moved definitions.
    """
    return digest_of(code_parts(script, modules, files, pins, renames))


def digest_of(parts: Mapping[str, str]) -> str:
    """The digest of :func:`code_parts`."""
    lines = [f"{name} {part}" for name, part in sorted(parts.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def code_parts(
    script: str | Path,
    modules: Iterable[str] = (),
    files: Iterable[str | Path] = (),
    pins: Mapping[str, str] | None = None,
    renames: Renames | None = None,
) -> dict[str, str]:
    """What :func:`code_digest` is made from, by name: definitions, data files, versions."""
    reached = reach(script, modules, renames)
    parts = dict(reached.parts)
    parts |= {Path(file).name: hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16] for file in files}
    return parts | {name: pins[name] for name in reached.distributions & (pins or {}).keys() if pins}


def reach(script: str | Path, modules: Iterable[str] = (), renames: Renames | None = None) -> Reached:
    """What a script and the named members depend on."""
    walk = _Walk(_entry(str(script), _SCRIPT), renames or Renames({}))
    walk.take_all(_SCRIPT)
    for module in modules:
        walk.take_all(module)
    return walk.finished()


class _Walk:
    """Follows references from definition to definition, each once."""

    def __init__(self, script: Definitions, renames: Renames) -> None:
        self._script = script
        self._renames = renames
        self._parts: dict[str, str] = {}
        self._modules: set[str] = set()
        self._packages: set[str] = set()
        self._seen: set[tuple[str, str]] = set()
        self._pending: deque[tuple[str, str]] = deque()

    def finished(self) -> Reached:
        """Follow all that is pending."""
        while self._pending:
            module, name = self._pending.popleft()
            definition = self._file(module).definitions[name]
            targets = [self._follow(target) for target in definition.references]
            for target in definition.maybe:
                self._follow(target)
            for target in definition.imports:
                self._import(target)
            text = "\n".join([definition.code, *targets])
            identity = self._renames.earliest(f"{module}:{name}")
            self._parts[identity] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return Reached(self._parts, frozenset(self._modules), frozenset(self._packages))

    def take_all(self, module: str) -> None:
        """All definitions of a module."""
        self._enter(module)
        for name in self._file(module).definitions:
            self._take(module, name)

    def _file(self, module: str) -> Definitions:
        return self._script if module == _SCRIPT else _entry(_path(module, _LIBRARY), module)

    def _take(self, module: str, name: str) -> None:
        if (module, name) not in self._seen:
            self._seen.add((module, name))
            self._pending.append((module, name))

    def _enter(self, module: str) -> None:
        """A module is imported, and the packages above it: their effects, and what they import."""
        for name in _with_parents(module):
            if name in self._modules or name in WORDS_ONLY:
                continue
            self._modules.add(name)
            file = self._file(name)
            if EFFECTS in file.definitions:
                self._take(name, EFFECTS)
            for target in file.imports:
                if target.split(".")[0] == PACKAGE:
                    self._import(target)
            self._packages |= {_package(target) for target in file.unused if _is_outside(target)}

    def _import(self, target: str) -> None:
        if target.split(".")[0] == PACKAGE:
            self._enter(_module_of(target, _LIBRARY))
        elif _is_outside(target):
            self._packages.add(_package(target))

    def _follow(self, target: str) -> str:
        """Take what a dotted name stands for; its name for the digest."""
        root = target.split(".")[0]
        if root != PACKAGE and root != _SCRIPT:
            if _is_outside(target):
                self._packages.add(_package(target))
            return target
        module = _SCRIPT if root == _SCRIPT else _module_of(target, _LIBRARY)
        name, _, rest = target[len(module) + 1 :].partition(".")
        identity = f"{module}:{name}" if name else module
        written = ".".join(filter(None, [self._renames.earliest(identity), rest]))
        if module in WORDS_ONLY:
            return written
        self._enter(module)
        file = self._file(module)
        if name in file.definitions:
            self._take(module, name)
        elif name in file.bound:
            return self._follow(f"{file.bound[name]}.{rest}".rstrip("."))
        else:  # the module itself, or a name that no definition gives a value
            self.take_all(module)
        return written


def pinned(folder: Path) -> dict[str, str]:
    """The versions that the locks of the layers which make results pin, by distribution: all of
    them, where the locks disagree.
    """
    pins: dict[str, set[str]] = {}
    for lock in (folder / f"{layer}.txt" for layer in _LAYERS):
        for line in lock.read_text(encoding="utf-8").splitlines() if lock.exists() else ():
            name, equal, version = line.split(" ;")[0].strip().partition("==")
            if equal and not line.startswith("#"):
                pins.setdefault(name.lower().replace("_", "-").replace(".", "-"), set()).add(version)
    return {name: " ".join(sorted(versions)) for name, versions in pins.items()}


@cache
def _path(module: str, library: Path) -> str:
    """The file of a dotted module name of the library."""
    base = os.path.join(library, *module.split("."))
    return os.path.join(base, "__init__.py") if os.path.isdir(base) else f"{base}.py"


@cache
def _module_of(target: str, library: Path) -> str:
    """The longest beginning of a dotted name that is a module of the library."""
    while "." in target and not os.path.exists(_path(target, library)):
        target = target.rpartition(".")[0]
    return target


def _with_parents(module: str) -> Iterable[str]:
    """A module and the packages above it, whose ``__init__`` runs first."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _package(target: str) -> str:
    return target.split(".")[0]


def _is_outside(target: str) -> bool:
    """Whether a dotted name belongs neither to the library nor to Python."""
    return _package(target) not in {PACKAGE, _SCRIPT} and _package(target) not in sys.stdlib_module_names


_KNOWN: dict[str, Definitions] = {}
"""What was read of each file, by module, path, time stamp and size."""


def _entry(path: str, module: str) -> Definitions:
    status = os.stat(path)
    key = f"{module}\t{path}\t{status.st_mtime_ns}\t{status.st_size}"
    if key not in _KNOWN:
        _KNOWN[key] = definitions.read(Path(path).read_text(encoding="utf-8"), module, path, is_script=module == _SCRIPT)
    return _KNOWN[key]


def read_library() -> None:
    """Read every module of the library, so that a process which forks need not do it again."""
    for path in (_LIBRARY / PACKAGE).rglob("*.py"):
        parts = path.relative_to(_LIBRARY).with_suffix("").parts
        _entry(str(path), ".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def recall(memory: Path) -> None:
    """Take what an earlier process read from ``memory``, and leave there at exit what this one had
    to read anew.

    Parsing four hundred files costs seconds, and on a cluster every job parses the workflow. An
    entry stands for one path, size and time stamp; a memory that cannot be read or written only
    costs the time.
    """
    with suppress(OSError, ValueError, TypeError, AttributeError):
        kept = json.loads(memory.read_text(encoding="utf-8"))
        if kept.pop("of", None) == _memory_of():
            _KNOWN.update({key: _restored(entry) for key, entry in kept.items()})
    atexit.register(_remember, memory, frozenset(_KNOWN))


def _restored(entry: tuple[dict[str, list[str]], dict[str, str], list[str], list[str]]) -> Definitions:
    by_name, bound, imports, unused = entry
    read = {name: Definition(code, tuple(of), tuple(maybe), tuple(asked)) for name, (code, of, maybe, asked) in by_name.items()}
    return Definitions(read, bound, tuple(imports), tuple(unused))


def _remember(memory: Path, before: frozenset[str]) -> None:
    if _KNOWN.keys() - before:
        with suppress(OSError):
            write_json(memory, {"of": _memory_of(), **_KNOWN})


def _memory_of() -> str:
    """What all entries hang on: Python's syntax trees, and how they were read."""
    state = hashlib.sha256(Path(definitions.__file__).read_bytes() + Path(__file__).read_bytes())
    return f"{sys.version_info[:2]} {state.hexdigest()}"
