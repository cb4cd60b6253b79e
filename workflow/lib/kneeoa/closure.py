"""What code a result depends on: a digest of a script and of everything in the library that it reaches.

Snakemake watches a script's time stamp and nothing that the script imports. Each rule carries this digest as a param
instead: it follows absolute imports statically, so touching a file, a comment, a docstring or the formatting changes nothing, and
an edit reruns exactly the rules whose scripts reach it. Members of a registry (backbones, modes, cohort readers) are imported lazily
by name, so they are outside the static closure and named explicitly by the rule that uses them.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from kneeoa.files import write_json

PACKAGE = "kneeoa"
_LIBRARY = Path(__file__).resolve().parent.parent

# These word errors and log lines, or watch, and cannot change a result: rewording a sentence must not retrain sixty networks.
_WORDS_ONLY = frozenset(
    {
        "kneeoa.errors",
        "kneeoa.config.sentences",
        "kneeoa.job",
        "kneeoa.training.event_files",
        "kneeoa.training.power",
        "kneeoa.training.watching",
    }
)


def code_digest(script: str | Path, modules: Iterable[str] = (), files: Iterable[str | Path] = ()) -> str:
    """Sixteen hexadecimal characters for a script, its import closure in the library, and extra members.

    Args:
        script: path of the rule's script.
        modules: dotted names of lazily imported members that this job uses, with their own closures.
        files: data files of the library (templates) that the script reads; compared byte by byte.
    """
    parts = [_fingerprint(Path(script))]
    parts += [f"{name} {_fingerprint(_path(name))}" for name in sorted(closure(script, modules))]
    parts += [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def closure(script: str | Path, modules: Iterable[str] = ()) -> set[str]:
    """Dotted names of the library's modules that a script and the named members reach statically, the members among them."""
    names = _imports(Path(script)) | set(modules)
    pending = list(names)
    while pending:
        for found in _imports(_path(pending.pop())) - names:
            names.add(found)
            pending.append(found)
    return names


def _path(module: str) -> Path:
    """The file of a dotted module name of the library."""
    base = _LIBRARY.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _imports(path: Path) -> set[str]:
    status = os.stat(path)
    return set(_read(str(path), status.st_mtime_ns, status.st_size)[1]) - _WORDS_ONLY


def _fingerprint(path: Path) -> str:
    status = os.stat(path)
    return _read(str(path), status.st_mtime_ns, status.st_size)[0]


def recall(memory: Path) -> None:
    """Take what an earlier process read from ``memory``, and leave there at exit what this one had to read anew.

    Parsing four hundred files costs seconds, and on a cluster every job parses the workflow. An entry stands for one path, size and time
    stamp; a memory that cannot be read or written only costs the time.
    """
    with suppress(OSError, ValueError, TypeError):
        kept = json.loads(memory.read_text(encoding="utf-8"))
        if kept.pop("of", None) == _memory_of():
            _KNOWN.update({key: (digest, frozenset(imported)) for key, (digest, imported) in kept.items()})
    atexit.register(_remember, memory, frozenset(_KNOWN))


def _remember(memory: Path, before: frozenset[str]) -> None:
    if _KNOWN.keys() - before:
        with suppress(OSError):
            write_json(memory, {"of": _memory_of()} | {key: [digest, sorted(imported)] for key, (digest, imported) in _KNOWN.items()})


def _memory_of() -> str:
    """What all entries hang on: Python, how they were read, and which modules there are, since `from package import name` may mean one."""
    modules = sorted(str(path.relative_to(_LIBRARY)) for path in (_LIBRARY / PACKAGE).rglob("*.py"))
    state = hashlib.sha256(Path(__file__).read_bytes() + "\n".join(modules).encode())
    return f"{sys.version_info[:2]} {state.hexdigest()}"


_KNOWN: dict[str, tuple[str, frozenset[str]]] = {}


def _read(path: str, modified: int, size: int) -> tuple[str, frozenset[str]]:
    """The digest of a file's syntax tree without docstrings and comments, and the library modules that it imports."""
    key = f"{path}\t{modified}\t{size}"
    if key not in _KNOWN:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"), filename=path)
        imported = frozenset(_imported_modules(tree))
        bare = _WithoutDocstrings().visit(tree)
        _KNOWN[key] = hashlib.sha256(ast.dump(bare).encode()).hexdigest(), imported
    return _KNOWN[key]


class _WithoutDocstrings(ast.NodeTransformer):
    """Drops bare strings (docstrings of modules, classes, functions and attributes)."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)


def _imported_modules(tree: ast.Module) -> Iterable[str]:
    """Modules of the library imported anywhere in a file, except for type checking alone."""
    skipped = {id(child) for node in ast.walk(tree) if _is_type_checking(node) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE:
                    yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from _with_parents(name if _path(name).exists() else node.module)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _with_parents(module: str) -> Iterable[str]:
    """A module and the packages above it, whose ``__init__`` runs first."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
