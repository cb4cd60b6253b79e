"""With which versions of which packages a study was made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from platform import python_version

_OF_ANALYSES = ("numpy", "pandas", "pyarrow", "scipy", "matplotlib", "pydantic")


def packages(runs: Iterable[Path]) -> dict[str, str]:
    """Python and packages with their versions: of the analyses as they are here, and of the runs as
    their ``run.json`` say; where versions differ, all of them.
    """
    by_package = {"python": {python_version()}, **{name: {version(name)} for name in _OF_ANALYSES}}
    for path in runs:
        for name, each in json.loads(path.read_text(encoding="utf-8"))["packages"].items():
            by_package.setdefault(name, set()).add(str(each))
    return {name: ", ".join(sorted(versions)) for name, versions in sorted(by_package.items())}


def package_url(package: str) -> str:
    """What identifies a package, wherever it is fetched from (the purl specification of
    ECMA-427).
    """
    return "pkg:generic/python" if package == "python" else f"pkg:pypi/{package}"
