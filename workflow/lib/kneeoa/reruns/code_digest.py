"""Compute a digest of the code that a result depends on: a script and every definition that it
reaches.

Snakemake watches a script's time stamp and nothing that the script imports. Each rule carries this
digest as a param instead. It follows names through the library's absolute imports: from a script to
the functions, classes and constants that it refers to, and on from those
(:mod:`kneeoa.reruns.definitions`), so that an edit of one function reruns what reaches that
function. Three things are not followed by name:

- members of a registry (backbones, modes, cohort layouts), which are imported lazily by name: the
  rule names the modules that it uses, and all of their definitions count, or the definition that
  it calls; of a registry whose members a study has for all rules alike (kinds of level) they count
  wherever the definition that imports them is reached;
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

from kneeoa.atomic_io import write_json
from kneeoa.reruns import definitions
from kneeoa.reruns.definitions import EFFECTS, Definition, Definitions
from kneeoa.reruns.renames import Renames

PACKAGE = "kneeoa"
_LIBRARY = Path(__file__).resolve().parents[2]
_SCRIPT = "script"
"""Name of the script among the modules: it has none of its own."""

# These modules word errors and log lines, or monitor, and cannot change a result: rewording a
# sentence must not retrain sixty networks.
WORDS_ONLY = frozenset(
    {
        "kneeoa.errors",
        "kneeoa.config.validation_messages",
        "kneeoa.reruns.copied_results",
        "kneeoa.job_logging",
        "kneeoa.training.gpu_energy",
        "kneeoa.training.progress",
    }
)

# These packages check the configuration or store numbers without loss: another version of them
# changes no result.
_CARRIERS = frozenset({"pydantic", "pydantic-core", "pyarrow", "safetensors"})

_LAYERS = ("analysis", "train", "cpu", "cuda")

# Distributions whose name is not that of the imported package.
_DISTRIBUTIONS = {"PIL": "pillow", "gdcm": "python-gdcm", "sklearn": "scikit-learn", "yaml": "pyyaml"}


class Reached(NamedTuple):
    """Definitions, modules and packages that a script depends on."""

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


class Links(NamedTuple):
    """A definition with its references resolved."""

    identity: str
    """``module:name``, the oldest in the table of renames."""
    digest: str
    definitions: tuple[tuple[str, str], ...]
    """Return the definitions of the library that it refers to, as (module, name)."""
    modules: tuple[str, ...]
    """Modules of the library that come to be imported."""
    packages: tuple[str, ...]


class Library:
    """The library's code on disk; what is resolved once serves every script.

    Make another one when files have changed.
    """

    def __init__(self, renames: Renames | None = None, members: Mapping[str, Iterable[str]] | None = None) -> None:
        """Resolve names of the library as it lies on the disk.

        Args:
            renames: earlier names of definitions.
            members: for a definition (``module:name``) that imports members of a registry, the
                modules of those that the study has.
        """
        self._renames = renames or Renames({})
        self._members = {name: tuple(modules) for name, modules in (members or {}).items()}
        self._links: dict[tuple[str, str], Links] = {}
        self._files: dict[str, Definitions] = {}

    def code_parts(
        self, script: str | Path, modules: Iterable[str] = (), files: Iterable[str | Path] = (), pins: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Return the parts of a rule's code: a digest of each definition by ``module:name``, of
        each data file by its name, and the version of each package.

        Args:
            script: path of the rule's script.
            modules: dotted names of lazily imported members that this job uses, with all of their
                definitions; ``module:name`` for that definition alone.
            files: data files of the library (templates) that the script reads; their bytes count.
            pins: versions of distributions; those that a reached definition uses count.
        """
        reached = self.reach(script, modules)
        parts = dict(reached.parts)
        parts |= {Path(file).name: hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16] for file in files}
        return parts | {name: pins[name] for name in reached.distributions & (pins or {}).keys() if pins}

    def reach(self, script: str | Path, modules: Iterable[str] = ()) -> Reached:
        """Return all that a script and the named members depend on."""
        script_file = _entry(str(script), _SCRIPT)
        links = {name: self._resolve(_SCRIPT, name, script_file) for name in script_file.definitions}
        parts: dict[str, str] = {}
        packages: set[str] = set()
        entered: set[str] = set()
        visited: set[tuple[str, str]] = set()
        pending = deque((_SCRIPT, name) for name in script_file.definitions)
        newly = deque(target for module in script_file.imports for target in self._imported(module))
        packages |= {_package(target) for target in script_file.unused if _is_outside(target)}
        for member in modules:
            newly.append(member.partition(":")[0])
            pending.extend(self._named(member))
        while pending or newly:
            while newly:
                module = newly.popleft()
                if module in entered or module in WORDS_ONLY:
                    continue
                entered.add(module)
                file = self._file(module)
                newly.extend(_parents(module))
                newly.extend(target for asked in file.imports for target in self._imported(asked))
                packages |= {_package(target) for target in file.unused if _is_outside(target)}
                if EFFECTS in file.definitions:
                    pending.append((module, EFFECTS))
            if pending:
                module, name = pending.popleft()
                if (module, name) not in visited:
                    visited.add((module, name))
                    link = links[name] if module == _SCRIPT else self._link(module, name)
                    parts[link.identity] = link.digest
                    pending.extend(link.definitions)
                    newly.extend(module for module in link.modules if module not in entered)
                    for member in self._members.get(f"{module}:{name}", ()):
                        newly.append(member)
                        pending.extend(self._named(member))
                    packages.update(link.packages)
        return Reached(parts, frozenset(entered), frozenset(packages))

    def _named(self, member: str) -> list[tuple[str, str]]:
        """(module, name) of the definitions of ``module``, or of the one of ``module:name``."""
        module, _, name = member.partition(":")
        return [(module, each) for each in ([name] if name else self._file(module).definitions)]

    def _file(self, module: str) -> Definitions:
        if module not in self._files:
            self._files[module] = _entry(_path(module, _LIBRARY), module)
        return self._files[module]

    def _link(self, module: str, name: str) -> Links:
        if (module, name) not in self._links:
            self._links[module, name] = self._resolve(module, name, self._file(module))
        return self._links[module, name]

    def _resolve(self, module: str, name: str, file: Definitions) -> Links:
        definition = file.definitions[name]
        taken: dict[tuple[str, str], None] = {}
        entered: dict[str, None] = {}
        outside = [target for target in (*definition.references, *definition.maybe, *definition.imports) if _is_outside(target)]
        targets = [self._follow(target, taken, entered, file) for target in definition.references]
        for target in definition.maybe:
            self._follow(target, taken, entered, file)
        for target in definition.imports:
            entered.update(dict.fromkeys(self._imported(target)))
        text = "\n".join([definition.code, *targets])
        return Links(
            self._renames.earliest(f"{module}:{name}"),
            hashlib.sha256(text.encode()).hexdigest()[:16],
            tuple(taken),
            tuple(entered),
            tuple(dict.fromkeys(map(_package, outside))),
        )

    def _imported(self, target: str) -> list[str]:
        """The module of the library that an import statement asks for, if any."""
        return [_module_of(target, _LIBRARY)] if _package(target) == PACKAGE else []

    def _follow(self, target: str, taken: dict[tuple[str, str], None], entered: dict[str, None], script: Definitions) -> str:
        """Note the definitions that a dotted name refers to, and return the name for the digest."""
        if _package(target) not in {PACKAGE, _SCRIPT}:
            return target
        module = _SCRIPT if _package(target) == _SCRIPT else _module_of(target, _LIBRARY)
        name, _, rest = target[len(module) + 1 :].partition(".")
        identity = f"{module}:{name}" if name else module
        written = ".".join(filter(None, [self._renames.earliest(identity), rest]))
        if module in WORDS_ONLY:
            return written
        file = script if module == _SCRIPT else self._file(module)
        if module != _SCRIPT:
            entered[module] = None
        if name in file.definitions:
            taken[module, name] = None
        elif name in file.bound:
            return self._follow(f"{file.bound[name]}.{rest}".rstrip("."), taken, entered, script)
        else:  # the module itself, or a name that no definition gives a value
            taken.update(dict.fromkeys((module, each) for each in file.definitions))
        return written


def digest_of(parts: Mapping[str, str]) -> str:
    """Return sixteen hexadecimal characters for the parts of a rule's code."""
    lines = [f"{name} {part}" for name, part in sorted(parts.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def pinned(folder: Path) -> dict[str, str]:
    """Return the versions that the locks of the layers which make results pin, by distribution: all
    of them, where the locks disagree.
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


def _parents(module: str) -> Iterable[str]:
    """The packages above a module, whose ``__init__`` runs first."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _package(target: str) -> str:
    return target.split(".")[0]


def _is_outside(target: str) -> bool:
    """Whether a dotted name belongs neither to the library nor to Python."""
    return _package(target) not in {PACKAGE, _SCRIPT} and _package(target) not in sys.stdlib_module_names


_KNOWN: dict[str, Definitions] = {}
"""Parsed files, by module, path, time stamp and size."""


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


def load_cache(memory: Path) -> None:
    """Load what an earlier process parsed from the file ``memory``, and write there at exit what
    this one had to parse anew.

    Parsing four hundred files costs seconds, and on a cluster every job parses the workflow. An
    entry is for one path, size and time stamp; a file that cannot be read or written only costs the
    time.
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
    """Digest of all that the stored entries depend on: Python's syntax trees, and the code that
    reads them.
    """
    state = hashlib.sha256(Path(definitions.__file__).read_bytes() + Path(__file__).read_bytes())
    return f"{sys.version_info[:2]} {state.hexdigest()}"
