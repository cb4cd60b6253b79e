"""Looks for words in every byte of a file, whatever their encoding; tables are looked into
uncompressed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "latin-1")


def words_in(content: bytes, words: Iterable[str]) -> set[str]:
    """The words that some bytes hold, in any of the usual encodings and in capitals or not."""
    lowered = content.lower()
    return {word for word in words for encoding in ENCODINGS if word.lower().encode(encoding) in lowered}


def bytes_of(path: Path) -> bytes:
    """A file's own bytes and, of a Parquet table, those of its columns and metadata
    uncompressed.
    """
    content = path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        content += str(table.schema).encode() + repr(table.schema.metadata).encode() + repr(table.to_pylist()).encode()
    return content
