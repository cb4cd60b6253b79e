"""Collect the entities of a crate: a flat list of linked JSON-LD nodes, each once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}]
"""RO-Crate 1.1, and the one term of the Workflow Run RO-Crate that it lacks
(https://w3id.org/ro/terms/workflow-run).
"""
METADATA = "ro-crate-metadata.json"

Node = dict[str, Any]


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
