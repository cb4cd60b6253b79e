"""Read the top-level definitions of a Python file: a digest of each one's code, and the names that
it refers to.

A definition is a function, a class or the statements that give a constant its value. Its code is
the syntax tree without what cannot change a result: comments, docstrings, formatting, annotations
of arguments and of local variables, import statements, and the names of local variables. A name
that stands for another definition, or for something of a package, is replaced by a number, and what
it stands for is listed, so that an alias or another style of import changes nothing and a moved
definition can be recognised by whoever resolves the list (:mod:`kneeoa.reruns.code_digest`).
"""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple


class Definition(NamedTuple):
    """A top-level definition of a file, or (under the name :data:`EFFECTS`) what its import
    does.
    """

    code: str
    """Digest of the syntax tree, references replaced by their place in ``references``."""
    references: tuple[str, ...]
    """Dotted names in order of first use: ``kneeoa.figures.style.MUTED``, ``numpy.linalg.norm``."""
    maybe: tuple[str, ...]
    """Dotted names that a local variable of the same name may hide: reached, to be safe."""
    imports: tuple[str, ...]
    """Dotted names that import statements within the definition ask for, used or not."""


class Definitions(NamedTuple):
    """A file: its definitions, and what its import statements bind and ask for."""

    definitions: dict[str, Definition]
    """By name. A name bound by a compound statement (``try``, ``if``) belongs to EFFECTS."""
    bound: dict[str, str]
    """Dotted name that each imported name stands for, for those who import it from here."""
    imports: tuple[str, ...]
    """Dotted names that the file's import statements ask for, but for type checking alone."""
    unused: tuple[str, ...]
    """Those of them that nothing in the file refers to: imported for what the import does."""


EFFECTS = ""
"""Name of what runs when the file is imported: statements that are no definition."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SEES_LOCALS = frozenset({"locals", "vars", "eval", "exec", "query", "globals"})
# With these decorators, a function's annotations still change nothing.
_TRANSPARENT = frozenset(
    {"staticmethod", "classmethod", "property", "cache", "lru_cache", "cached_property", "contextmanager", "abstractmethod", "override"}
)


def read(source: str, module: str, path: str = "<source>", *, is_script: bool = False) -> Definitions:
    """Parse a file.

    Args:
        source: its text.
        module: dotted name by which its own definitions are referred to.
        path: named by a syntax error.
        is_script: it runs as ``__main__``, so what stands below that test counts.

    Raises:
        SyntaxError: the text is no Python.
    """
    statements = [node for node in ast.parse(source, filename=path).body if not _is_skipped(node, is_script)]
    bound: dict[str, str] = {}
    imports: list[str] = []
    for node in statements:
        imports += _import(node, bound)
    grouped = _grouped([node for node in statements if not isinstance(node, ast.Import | ast.ImportFrom)], bound)
    names = grouped.keys() - {EFFECTS}
    scope = {**bound, **{name: f"{module}.{name}" for name in names}}
    writers = {name: _TreeWriter(scope, name) for name in grouped}
    definitions = {name: writers[name].definition(nodes) for name, nodes in grouped.items()}
    mentioned = frozenset[str]().union(*(writer.mentioned for writer in writers.values()))
    unused = tuple(target for name, target in bound.items() if name not in mentioned)
    return Definitions(definitions, bound, tuple(dict.fromkeys(imports)), unused)


def _grouped(statements: Iterable[ast.stmt], bound: Mapping[str, str]) -> dict[str, list[ast.stmt]]:
    """Statements by the definition that they make or change."""
    statements = list(statements)
    groups: dict[str, list[ast.stmt]] = {}
    for node in statements:
        for name in _defined(node) or [EFFECTS]:
            groups.setdefault(name, []).append(node)
    for node in statements:  # `TABLE["x"] = 1` and `@kernel.register` change what another statement made
        changed = {root for root in _changed(node) if root in groups and root not in _defined(node)}
        for name in changed:
            groups[name].append(node)
        if not changed and _is_registered(node, statements):
            groups.setdefault(EFFECTS, []).append(node)
    return groups


def _is_registered(node: ast.stmt, statements: Iterable[ast.stmt]) -> bool:
    """Whether a private function or class has decorators and nothing else that mentions it."""
    if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)) or not node.decorator_list or not node.name.startswith("_"):
        return False
    others = (child for other in statements if other is not node for child in ast.walk(other))
    return not any(isinstance(child, ast.Name) and child.id == node.name for child in others)


def _defined(node: ast.stmt) -> list[str]:
    """Names that a statement defines; none for one that is run for what it does."""
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        flat = [leaf for target in targets for leaf in (target.elts if isinstance(target, ast.Tuple | ast.List) else [target])]
        if all(isinstance(leaf, ast.Name) for leaf in flat):
            return [leaf.id for leaf in flat if isinstance(leaf, ast.Name)]
    return []


def _changed(node: ast.stmt) -> Iterator[str]:
    """Names whose values a statement changes: roots of assigned items and of decorators."""
    if isinstance(node, ast.Assign | ast.AugAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(node, ast.AugAssign) or not isinstance(target, ast.Name):
                yield from _root(target)
    elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        for decorator in node.decorator_list:
            inner = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(inner, ast.Attribute):
                yield from _root(inner)


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _import(node: ast.AST, bound: dict[str, str]) -> list[str]:
    """Return the names that an import statement asks for; ``bound`` gains the names that it
    binds.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            bound[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__":
        for alias in node.names:
            bound[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _is_skipped(node: ast.stmt, is_script: bool) -> bool:
    """Whether a statement is for type checkers, another way to start, or a bare string."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    if not isinstance(node, ast.If):
        return False
    test = ast.unparse(node.test)
    typing_only = test in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
    return not node.orelse and (typing_only or (test == "__name__ == '__main__'" and not is_script))


class _TreeWriter:
    """Writes the syntax tree of one definition as text, with references numbered."""

    def __init__(self, scope: Mapping[str, str], name: str) -> None:
        self._scope = dict(scope)
        self._name = name
        self._numbers: dict[str, int] = {}
        self._maybe: dict[str, None] = {}
        self._imports: list[str] = []
        self._bound: frozenset[str] = frozenset()
        self._locals: dict[str, int] | None = None
        self.mentioned: set[str] = set()
        """Names of the file's scope that occur, in annotations too."""

    def definition(self, statements: list[ast.stmt]) -> Definition:
        nodes = [child for statement in statements for child in ast.walk(statement)]
        for child in nodes:
            self._imports += _import(child, self._scope)
        self.mentioned = {child.id for child in nodes if isinstance(child, ast.Name)}
        defined = {name for statement in statements for name in _defined(statement)}
        self._bound = frozenset(_bound_within(statements)) - (defined if self._name != EFFECTS else set())
        text = self._list(statements, in_class=False, top=True)
        code = hashlib.sha256(text.encode()).hexdigest()[:16]
        return Definition(code, tuple(self._numbers), tuple(self._maybe), tuple(dict.fromkeys(self._imports)))

    def _write(self, node: object, *, in_class: bool = False, top: bool = False) -> str:
        if isinstance(node, list):
            return self._list(node, in_class=in_class)
        if not isinstance(node, ast.AST):
            return repr(node)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._chain(node)
        if isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            return self._function(node, top=top)
        if isinstance(node, ast.ClassDef):
            parts = [self._list(part) for part in (node.bases, node.keywords, node.decorator_list)]
            return f"class {'' if top else node.name}({','.join(parts)}){self._list(node.body, in_class=True)}"
        if isinstance(node, ast.AnnAssign) and not in_class:
            return "" if node.value is None else f"{self._write(node.target)}={self._write(node.value)}"
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            return f"{self._write(node.targets[0])}={self._write(node.value)}"
        fields = (f"{name}={self._write(value, in_class=False)}" for name, value in ast.iter_fields(node) if name not in _UNWRITTEN)
        return f"{type(node).__name__}({','.join(fields)})"

    def _list(self, nodes: Iterable[object], *, in_class: bool = False, top: bool = False) -> str:
        kept = (node for node in nodes if not isinstance(node, ast.Import | ast.ImportFrom) and not _is_docstring(node))
        return f"[{';'.join(self._write(node, in_class=in_class, top=top) for node in kept)}]"

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, *, top: bool) -> str:
        outermost = self._locals is None
        if outermost:
            self._locals = _numbered_locals(node, self._scope)
        annotated = isinstance(node, _FUNCTIONS) and any(_decorator(each) not in _TRANSPARENT for each in node.decorator_list)
        arguments = node.args
        groups = (arguments.posonlyargs, arguments.args, [arguments.vararg], arguments.kwonlyargs, [arguments.kwarg])
        written = "/".join(
            ",".join(f"{each.arg}:{self._write(each.annotation) if annotated else ''}" for each in group if each is not None)
            for group in groups
        )
        defaults = self._list([*arguments.defaults, "/", *arguments.kw_defaults])
        if isinstance(node, ast.Lambda):
            text = f"lambda({written}{defaults}){self._write(node.body)}"
        else:
            kind = type(node).__name__
            text = f"{kind} {'' if top else node.name}({written}{defaults}){self._list(node.decorator_list)}{self._list(node.body)}"
        if outermost:
            self._locals = None
        return text

    def _chain(self, node: ast.Name | ast.Attribute) -> str:
        """Text of a name and its attributes: a numbered reference, a numbered local variable, or
        the name itself.
        """
        names: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            assert isinstance(node, ast.Attribute)
            return f"{self._write(node.value)}.{node.attr}"
        rest = "".join(f".{name}" for name in reversed(names))
        target = self._scope.get(inner.id)
        if target is not None and inner.id not in self._bound:
            number = self._numbers.setdefault(target + rest, len(self._numbers))
            return f"#{number}"
        if target is not None:
            self._maybe.setdefault(target + rest)
        if self._locals is not None and inner.id in self._locals:
            return f"@{self._locals[inner.id]}{rest}"
        return inner.id + rest


_UNWRITTEN = frozenset({"ctx", "type_comment", "kind", "type_params"})


def _is_docstring(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _decorator(node: ast.expr) -> str:
    inner = node.func if isinstance(node, ast.Call) else node
    return inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else ""


def _bound_within(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that are bound somewhere within statements, import statements apart."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                yield node.id
            else:
                yield from _bound_otherwise(node, but=statement)


def _bound_otherwise(node: ast.AST, but: ast.AST | None = None) -> Iterator[str]:
    """Names that a node binds and that are no target of an assignment."""
    if isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        if node.name and node is not but:
            yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names


def _numbered_locals(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Mapping[str, str]) -> dict[str, int]:
    """Local variables that may have any other name, numbered by first occurrence.

    Not those that are also an argument, an attribute of a class, or the name of something outside;
    and none in a function that looks its own variables up by name.
    """
    nodes = list(ast.walk(function))
    if any(isinstance(node, ast.Name) and node.id in _SEES_LOCALS for node in nodes) or any(
        isinstance(node, ast.Attribute) and node.attr == "query" for node in nodes
    ):
        return {}
    kept = {name for node in nodes for name in _bound_otherwise(node)} | scope.keys() | vars(builtins).keys()
    kept |= {
        name.id
        for node in nodes
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        for name in ast.walk(statement)
        if isinstance(name, ast.Name)
    }
    stored = [node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)]
    ordered = sorted(stored, key=lambda name: (name.lineno, name.col_offset))
    names = dict.fromkeys(name.id for name in ordered if name.id not in kept)
    return {name: number for number, name in enumerate(names)}
