"""Assign the subjects of a cohort to its shards."""

from __future__ import annotations

import hashlib


def shard_of(subject: str, shards: int) -> int:
    """The shard of a subject, in [0, shards): SHA-256 of its name, so that one more subject moves
    no other.
    """
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[:8], "big") % shards
