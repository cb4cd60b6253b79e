"""Keep the parts of a code digest beside the results, so that a later version of the code can name
what changed.

`results/<study>/code/<digest>.json` holds the digest of each definition by ``module:name``, and the
versions of packages (``kneeoa.reruns.code_digest.Library.code_parts``). It is a record, no input:
nothing is made from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kneeoa.atomic_io import write_json

NAMED = 3
"""Most definitions that a sentence names."""


def write(folder: Path, codes: Mapping[str, Mapping[str, str]]) -> None:
    """Write the parts of each digest that has no record yet; a folder that cannot be written only
    costs the names.
    """
    for digest, parts in codes.items():
        file = folder / f"{digest}.json"
        if not file.exists():
            with suppress(OSError):
                write_json(file, dict(sorted(parts.items())))


def describe_change(folder: Path, digest: str, parts: Mapping[str, str]) -> str:
    """Describe the differences between the code of an earlier ``digest`` and ``parts``.

    Definitions that changed first, then new ones, then those that are gone. Where no record of the
    digest was kept (0.1.0 kept none), that is said.
    """
    try:
        before = json.loads((folder / f"{digest}.json").read_text(encoding="utf-8"))
        changed = [name for name in sorted(parts) if name in before and before[name] != parts[name]]
        new = [f"{name} (new)" for name in sorted(parts.keys() - before.keys())]
        removed = [f"{name} (gone)" for name in sorted(before.keys() - parts.keys())]
    except (OSError, ValueError, TypeError, AttributeError):
        return "code, of which no record was kept"
    names = [*changed, *new, *removed]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"code: {', '.join(names[:NAMED])}{more}" if names else "code"
