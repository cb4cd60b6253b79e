"""Entities of a crate: a flat list of linked JSON-LD nodes, each once; files that lie in the crate,
and others by their digest alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from kneeoa.errors import KneeoaError

CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}]
"""RO-Crate 1.1, and the one term of the Workflow Run RO-Crate that it lacks
(https://w3id.org/ro/terms/workflow-run).
"""
METADATA = "ro-crate-metadata.json"

Node = dict[str, Any]

_FORMATS = {
    ".parquet": "application/vnd.apache.parquet",
    ".tex": "application/x-tex",
    ".smk": "text/x-snakemake",
    ".py": "text/x-python",
    ".txt": "text/plain",
    ".json": "application/json",
    ".csv": "text/csv",
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".cff": "text/yaml",
    ".j2": "text/html",
    ".npy": "application/x-npy",
    ".safetensors": "application/x-safetensors",
}


def link(identifier: str) -> Node:
    """Return a reference to another node."""
    return {"@id": identifier}


def links(identifiers: Iterable[str]) -> list[Node]:
    """Return references to other nodes, in order, each once."""
    return [link(identifier) for identifier in dict.fromkeys(identifiers)]


class Graph:
    """Nodes by their ``@id``; a node that is added again must say the same."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._nodes

    def add(self, identifier: str, kind: str | list[str], **properties: Any) -> str:
        """Add a node without its empty properties and return its ``@id``."""
        node = {"@id": identifier, "@type": kind} | {key: value for key, value in properties.items() if value not in (None, "", [])}
        if self._nodes.setdefault(identifier, node) != node:
            raise ValueError(f"{identifier} is described twice, differently")
        return identifier

    def text(self) -> str:
        """Return the metadata document: JSON with a final newline."""
        return json.dumps({"@context": CONTEXT, "@graph": list(self._nodes.values())}, indent=1, ensure_ascii=False) + "\n"


class FileEntities:
    """Gives each file one entity, by its path and its bytes.

    A file whose bytes are in the crate is a ``File`` under its path. Another one (an image, a
    prediction table, weights) is a ``CreativeWork`` with its SHA-256; where jobs read other bytes
    under one path, these are entities of their own.
    """

    def __init__(self, graph: Graph, members: Mapping[str, bytes], root: str) -> None:
        """``members`` are the crate's files by their paths in it; ``root`` is the study's folder,
        which no path in the crate repeats.
        """
        self._graph, self._root = graph, root
        self._members = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
        self._sizes = {name: len(content) for name, content in members.items()}

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file of the crate."""
        return self._members[name]

    def member(self, name: str, description: str = "") -> str:
        """Return the entity of a file of the crate."""
        properties = {"name": name, "description": description, "encodingFormat": _format(name)}
        properties |= {"contentSize": str(self._sizes[name]), "sha256": self._members[name]}
        return name if name in self._graph else self._graph.add(name, "File", **properties)

    def entity(self, path: str, digest: str = "") -> str:
        """Return the entity of a file that a job read or wrote: ``path`` as Snakemake names it,
        ``digest`` its SHA-256 where there is one.

        Raises:
            KneeoaError: the crate has that file, with other bytes.
        """
        name = self._named(path)
        if name in self._members:
            if digest not in ("", self._members[name]):
                raise KneeoaError(
                    f"{path}: a job read other bytes than lie there now; run the workflow again first, then ask for the crate."
                )
            return self.member(name)
        identifier = f"#{name}" + (f"?sha256={digest}" if digest else "")
        return self._graph.add(identifier, "CreativeWork", name=name, encodingFormat=_format(name), sha256=digest)

    def _named(self, path: str) -> str:
        """The path relative to the study's folder; of any other place, the last part alone."""
        if path.startswith(f"{self._root}/"):
            return path.removeprefix(f"{self._root}/")
        return f"raw/{PurePosixPath(path).name}"


def _format(name: str) -> str:
    return _FORMATS.get(PurePosixPath(name).suffix, "application/octet-stream")
