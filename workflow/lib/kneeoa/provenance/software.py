"""Versions of the packages that a study was made with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from platform import python_version

_OF_ANALYSES = ("numpy", "pandas", "pyarrow", "scipy", "matplotlib", "pydantic")


def package_versions(runs: Iterable[Path]) -> dict[str, str]:
    """Return Python and packages with their versions: of the analyses as installed here, and of the
    runs as in their ``run.json``; where versions differ, all of them.
    """
    by_package = {"python": {python_version()}, **{name: {version(name)} for name in _OF_ANALYSES}}
    for path in runs:
        for name, each in json.loads(path.read_text(encoding="utf-8"))["packages"].items():
            by_package.setdefault(name, set()).add(str(each))
    return {name: ", ".join(sorted(versions)) for name, versions in sorted(by_package.items())}


def package_url(package: str) -> str:
    """Return the package URL (purl) of a package, as in ECMA-427."""
    return "pkg:generic/python" if package == "python" else f"pkg:pypi/{package}"
