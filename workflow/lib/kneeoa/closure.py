"""What code a result depends on: a digest of a script and of everything in the library that it
reaches.

Snakemake watches a script's time stamp and nothing that the script imports. Each rule carries this
digest as a param instead: it follows absolute imports statically, so touching a file, a comment, a
docstring or the formatting changes nothing, and an edit reruns exactly the rules whose scripts
reach it. The pinned version of every package that those modules import belongs to the digest as
well, so that another version of it reruns what uses it and nothing else. Members of a registry
(backbones, modes, cohort readers) are imported lazily by name, so they are outside the static
closure and named explicitly by the rule that uses them.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from kneeoa.files import write_json

PACKAGE = "kneeoa"
_LIBRARY = Path(__file__).resolve().parent.parent

Entry = tuple[str, frozenset[str], frozenset[str]]
"""What is known of a file: the digest of its code, the library's modules that it imports, the
packages that it imports from outside.
"""

# These word errors and log lines, or watch, and cannot change a result: rewording a sentence must
# not retrain sixty networks.
_WORDS_ONLY = frozenset(
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


def code_digest(
    script: str | Path, modules: Iterable[str] = (), files: Iterable[str | Path] = (), pins: Mapping[str, str] | None = None
) -> str:
    """Sixteen hexadecimal characters for a script, its import closure in the library, and extra
    members.

    Args:
        script: path of the rule's script.
        modules: dotted names of lazily imported members that this job uses, with their own
            closures.
        files: data files of the library (templates) that the script reads; compared byte by byte.
        pins: versions of distributions; those that are imported count.
    """
    reached = _reached(script, modules)
    own = _entry(str(script))
    parts = [own[0], *(f"{name} {entry[0]}" for name, entry in sorted(reached.items()))]
    parts += [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]
    if pins:
        parts += [f"{name}=={pins[name]}" for name in sorted(_distributions([own, *reached.values()]) & pins.keys())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def closure(script: str | Path, modules: Iterable[str] = ()) -> set[str]:
    """Dotted names of the library's modules that a script and the named members reach statically,
    the members among them.
    """
    return set(_reached(script, modules))


def distributions(script: str | Path, modules: Iterable[str] = ()) -> set[str]:
    """The distributions whose versions belong to the code of a script and the named members: what
    their closure imports from outside.
    """
    return _distributions([_entry(str(script)), *_reached(script, modules).values()])


def _reached(script: str | Path, modules: Iterable[str]) -> dict[str, Entry]:
    """The modules of :func:`closure`, each with what is known of it; each file is looked at
    once.
    """
    found: dict[str, Entry] = {}
    pending = (_entry(str(script))[1] - _WORDS_ONLY) | set(modules)
    while pending:
        found.update({name: _entry(_path(name, _LIBRARY)) for name in pending})
        pending = frozenset[str]().union(*(found[name][1] for name in pending)) - found.keys() - _WORDS_ONLY
    return found


def _distributions(entries: Iterable[Entry]) -> set[str]:
    imported = frozenset[str]().union(*(outside for _, _, outside in entries))
    return {_DISTRIBUTIONS.get(name, name.lower().replace("_", "-")) for name in imported} - _CARRIERS


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


def _entry(path: str) -> Entry:
    status = os.stat(path)
    return _read(path, status.st_mtime_ns, status.st_size)


def recall(memory: Path) -> None:
    """Take what an earlier process read from ``memory``, and leave there at exit what this one had
    to read anew.

    Parsing four hundred files costs seconds, and on a cluster every job parses the workflow. An
    entry stands for one path, size and time stamp; a memory that cannot be read or written only
    costs the time.
    """
    with suppress(OSError, ValueError, TypeError):
        kept = json.loads(memory.read_text(encoding="utf-8"))
        if kept.pop("of", None) == _memory_of():
            _KNOWN.update({key: (code, frozenset(imported), frozenset(outside)) for key, (code, imported, outside) in kept.items()})
    atexit.register(_remember, memory, frozenset(_KNOWN))


def _remember(memory: Path, before: frozenset[str]) -> None:
    if _KNOWN.keys() - before:
        with suppress(OSError):
            entries = {key: [code, sorted(imported), sorted(outside)] for key, (code, imported, outside) in _KNOWN.items()}
            write_json(memory, {"of": _memory_of(), **entries})


def _memory_of() -> str:
    """What all entries hang on: Python, how they were read, and which modules there are, since
    `from package import name` may mean one.
    """
    modules = sorted(str(path.relative_to(_LIBRARY)) for path in (_LIBRARY / PACKAGE).rglob("*.py"))
    state = hashlib.sha256(Path(__file__).read_bytes() + "\n".join(modules).encode())
    return f"{sys.version_info[:2]} {state.hexdigest()}"


_KNOWN: dict[str, Entry] = {}


def _read(path: str, modified: int, size: int) -> Entry:
    """The digest of a file's syntax tree without docstrings and comments, the library modules that
    it imports, and what else it does.
    """
    key = f"{path}\t{modified}\t{size}"
    if key not in _KNOWN:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"), filename=path)
        names = list(_imported_names(tree))
        imported = frozenset(name for found in names if found.split(".")[0] == PACKAGE for name in _with_parents(found))
        outside = frozenset(name.split(".")[0] for name in names) - {PACKAGE} - sys.stdlib_module_names
        bare = _WithoutDocstrings().visit(tree)
        _KNOWN[key] = hashlib.sha256(ast.dump(bare).encode()).hexdigest(), imported, outside
    return _KNOWN[key]


class _WithoutDocstrings(ast.NodeTransformer):
    """Drops bare strings (docstrings of modules, classes, functions and attributes)."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)


def _imported_names(tree: ast.Module) -> Iterable[str]:
    """Dotted names of the modules imported anywhere in a file, except for type checking alone."""
    skipped = {id(child) for node in ast.walk(tree) if _is_type_checking(node) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                own = node.module.split(".")[0] == PACKAGE
                yield name if own and os.path.exists(_path(name, _LIBRARY)) else node.module


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _with_parents(module: str) -> Iterable[str]:
    """A module and the packages above it, whose ``__init__`` runs first."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
