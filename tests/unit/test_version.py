"""The version is one in the changelog, the project file and the citation."""

import re
import tomllib

import yaml

from tests.dag import ROOT


def test_the_changelog_the_project_and_the_citation_agree() -> None:
    sections = re.findall(r"^## (\d+\.\d+\.\d+) - (unreleased|\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    (newest, when), *older = sections
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert project == newest + (".dev0" if when == "unreleased" else "")
    released = (newest, when) if when != "unreleased" else older[0]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], str(citation["date-released"])) == released
