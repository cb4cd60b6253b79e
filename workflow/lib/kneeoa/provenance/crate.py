"""Write a study as a Workflow Run RO-Crate: the workflow, its configuration, its products, and
every job between.

Follows the Provenance Run Crate profile 0.5 (https://w3id.org/ro/wfrun/provenance/0.5), hence also
its Workflow and Process Run Crates and Workflow RO-Crate 1.0. The crate names nobody but the
authors of the workflow's CITATION.cff, and no machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import yaml

from kneeoa.errors import KneeoaError
from kneeoa.provenance.contents import HOME, source_files, strip_paths, write_zip
from kneeoa.provenance.entities import METADATA, FileEntities, Graph, link, links
from kneeoa.provenance.records import Job, read_jobs, upstream_jobs

_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
CONFIGURATION = "configuration.json"
"""The name of the checked configuration in the crate."""

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


@dataclass(frozen=True)
class StudyFiles:
    """The files and texts of a study that a crate describes."""

    study: str
    title: str
    question: str
    root: str
    """The study's folder, ``results/<study>``."""
    products: Sequence[Path]
    """Figures, tables, the report."""
    details: Sequence[Path]
    """Statistics and the runs' own records: small files that lie in the crate too."""
    configuration: Mapping[str, Any]
    """The checked configuration."""


def write_crate(files: StudyFiles, records: Path, snakemake: str, out: Path, home: Path = HOME) -> None:
    """Write the crate as one zip file.

    Args:
        files: what it describes.
        records: Snakemake's records of jobs.
        snakemake: its version.
        out: the zip file.
        home: folder of the workflow, with its Snakefile.

    Raises:
        KneeoaError: there is no record of how a product was made, or it was made from other bytes
            than lie in the crate.
    """
    jobs = upstream_jobs(read_jobs(records, files.root), [str(path) for path in files.products])
    study_members = {str(path.relative_to(files.root)): path.read_bytes() for path in (*files.products, *files.details)}
    settings = json.dumps(strip_paths(files.configuration), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    members = {**{str(path): (home / path).read_bytes() for path in source_files(home)}, CONFIGURATION: settings.encode(), **study_members}
    graph = Graph()
    _Crate(files, graph, FileEntities(graph, members, files.root), list(members), jobs, snakemake).describe(home)
    write_zip(out, {METADATA: graph.text().encode(), **members})


class _Crate:
    """Builds the nodes of one crate, in an order for people to read."""

    def __init__(self, study: StudyFiles, graph: Graph, files: FileEntities, members: list[str], jobs: list[Job], snakemake: str) -> None:
        self.study, self.graph, self.files, self.members, self.jobs, self.snakemake = study, graph, files, members, jobs, snakemake
        self._read_as = {path: digest for job in jobs for path, digest in job.inputs if digest}
        self.tools = {job.rule: _script(job.rule, members) for job in jobs}

    def describe(self, home: Path) -> None:
        """Add everything."""
        cited: dict[str, Any] = yaml.safe_load((home / "CITATION.cff").read_text(encoding="utf-8"))
        ended = _time(max(job.ended for job in self.jobs))
        actions = [f"#job/{job.name}" for job in self.jobs]
        self.graph.add(METADATA, "CreativeWork", conformsTo=link("https://w3id.org/ro/crate/1.1"), about=link("./"))
        description = (
            f"{self.study.question} Made by {len(self.jobs)} jobs. What is too large or too private to lie here is named by its SHA-256."
        )
        self.graph.add(
            "./",
            "Dataset",
            name=self.study.title,
            description=description.strip(),
            datePublished=ended,
            license=link("#licence"),
            conformsTo=links(_PROFILES),
            mainEntity=link("Snakefile"),
            hasPart=links(self.members),
            mentions=links(["#run", "#scheduling", *actions]),
        )
        for profile, name in _PROFILES.items():
            self.graph.add(profile, "CreativeWork", name=name, version=profile.rsplit("/", 1)[1])
        self._workflow(cited)
        for member in self.members:
            self.files.member(member)
        self._run(ended)
        for job in self.jobs:
            self._job(job)

    def _workflow(self, cited: Mapping[str, Any]) -> None:
        engine = "https://snakemake.github.io"
        licence = f"https://spdx.org/licenses/{cited['license']}"
        properties = {"sha256": self.files.digest("Snakefile"), "name": cited["title"], "version": str(cited["version"])}
        used = package_versions(path for path in self.study.details if path.name == "run.json")
        self.graph.add(
            "Snakefile",
            ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            **properties,
            programmingLanguage=link("#snakemake"),
            license=link(licence),
            creator=links(self._people(cited)),
            hasPart=links(self.tools.values()),
            step=links(f"#rule/{rule}" for rule in self.tools),
            softwareRequirements=links(self._package(name, each) for name, each in used.items()),
        )
        self.graph.add("#snakemake", "ComputerLanguage", name="Snakemake", url=link(engine), version=self.snakemake)
        self.graph.add(engine, "SoftwareApplication", name="Snakemake", url=link(engine), softwareVersion=self.snakemake)
        self.graph.add(licence, "CreativeWork", name=str(cited["license"]), description="The licence of the workflow (LICENSE).")
        note = "Under which licence figures and tables may be used is for those to say who publish them; the workflow is under its own."
        self.graph.add("#licence", "CreativeWork", name="not stated", description=note)
        for rule, script in self.tools.items():
            name = Path(script).stem
            digest, lines = self.files.digest(script), f"Script of the rule {rule}"
            if script not in self.graph:
                self.graph.add(
                    script, ["File", "SoftwareSourceCode"], name=name, description=lines, version=properties["version"], sha256=digest
                )
            self.graph.add(f"#rule/{rule}", "HowToStep", name=rule, workExample=link(script))

    def _people(self, cited: Mapping[str, Any]) -> list[str]:
        """Add the authors that the workflow's citation file names."""
        people = []
        for number, author in enumerate(cited["authors"], 1):
            full_name = author.get("name")
            name = full_name or " ".join(filter(None, (author.get("given-names"), author.get("family-names"))))
            people.append(self.graph.add(author.get("orcid", f"#author-{number}"), "Organization" if full_name else "Person", name=name))
        return people

    def _package(self, name: str, versions: str) -> str:
        return self.graph.add(package_url(name), "SoftwareApplication", name=name, softwareVersion=versions)

    def _run(self, ended: str) -> None:
        """Add the whole run, from the configuration to the products, and its scheduling by
        Snakemake.
        """
        started = _time(min(job.started for job in self.jobs))
        products = [self.files.entity(str(path)) for path in self.study.products]
        self.graph.add(
            "#run",
            "CreateAction",
            name=f"The study {self.study.study}",
            description="Every job that figures, tables and the report hang on, as Snakemake recorded it.",
            instrument=link("Snakefile"),
            startTime=started,
            endTime=ended,
            object=links([CONFIGURATION]),
            result=links(products),
        )
        self.graph.add(
            "#scheduling",
            "OrganizeAction",
            name="Scheduling by Snakemake",
            instrument=link("https://snakemake.github.io"),
            object=links(f"#control/{job.name}" for job in self.jobs),
            result=link("#run"),
        )

    def _job(self, job: Job) -> None:
        identifier = f"#job/{job.name}"
        read = [self.files.entity(path, digest) for path, digest in job.inputs]
        digests = [self.graph.add(f"#digest/{each}", "PropertyValue", name=_DIGESTS, value=each) for each in job.digests]
        self.graph.add(
            identifier,
            "CreateAction",
            name=job.name,
            description=f"A job of the rule {job.rule}.",
            instrument=link(self.tools[job.rule]),
            startTime=_time(job.started),
            endTime=_time(job.ended),
            object=links([*read, *digests]),
            result=links(self._written(path) for path in job.outputs),
        )
        self.graph.add(
            f"#control/{job.name}",
            "ControlAction",
            name=f"Start of {job.name}",
            instrument=link(f"#rule/{job.rule}"),
            object=link(identifier),
        )

    def _written(self, path: str) -> str:
        """The entity of a job's output, by the digest with which another job read it, so that one
        entity links the two.
        """
        return self.files.entity(path, self._read_as.get(path, ""))


_DIGESTS = "digest of code, or of raw files, that the job was made with"


def _script(rule: str, members: Sequence[str]) -> str:
    """The script of a rule, which has the rule's name."""
    name = f"scripts/{rule}.py"
    if name not in members:
        raise KneeoaError(f"{name} is gone, but results were made by the rule '{rule}'; run the workflow again.")
    return name


def _time(seconds: float) -> str:
    """ISO 8601 in UTC, to the second: a time zone is a place."""
    return datetime.fromtimestamp(round(seconds), UTC).isoformat()
