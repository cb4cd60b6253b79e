"""A study of imported predictions carried out in this process, from its tables to its report, with
the files and settings that ``workflow/inputs/figures.smk`` gives to each figure and table.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kneeoa import figures_and_tables
from kneeoa.config.study import Study, load
from kneeoa.contrasts.build import build_contrasts
from kneeoa.contrasts.claim import build_claim
from kneeoa.contrasts.metrics import build_metrics
from kneeoa.contrasts.subgroups import build_subgroups
from kneeoa.errors import KneeoaError
from kneeoa.figures import registry as figures
from kneeoa.inference.import_predictions import import_predictions
from kneeoa.layout import Layout
from kneeoa.paper_tables.table_files import write_table
from kneeoa.report.page import Entry, write_report
from tests.dag import ROOT


class Finished:
    """The files of a finished study below ``folder``."""

    def __init__(self, config: dict[str, Any], folder: Path) -> None:
        self.folder = folder
        self.study = load(config)
        self.layout = Layout(self.study)
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self._analyse()
        self._present()

    def path(self, name: str) -> Path:
        """A file of the layout."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def result(self, name: str) -> Path:
        """A file below the study's own folder."""
        return self.path(f"{self.layout.root}/{name}")

    @property
    def report(self) -> str:
        """The text of the report."""
        return self.result("report.html").read_text()

    def _analyse(self) -> None:
        study, statistics, arms = self.study, self.study.statistics, self.layout.arms_and_ensembles()
        assert study.imports is not None
        for arm, account in zip(study.imports.arms, self.layout.import_accounts(), strict=True):
            folder, out = Path(study.imports.folder), self.result(f"predictions/{arm}/imported.parquet")
            import_predictions(study.imports, arm, study.levels, study.study, folder, out, self.path(account))
        predictions = [self.path(name) for name in self.layout.predictions()]
        build_metrics(predictions, study.levels, statistics, self.result("statistics/metrics.parquet"))
        if statistics.contrasts:
            build_contrasts(predictions, arms, study.levels, statistics, self.result("statistics/contrasts.parquet"))
            build_claim(predictions, [], [], arms, study.levels, statistics, self.result("statistics/claim.parquet"))
        if statistics.contrasts and statistics.subgroups:
            build_subgroups(predictions, [], arms, study.levels, statistics, self.result("statistics/subgroups.parquet"))

    def _present(self) -> None:
        study, layout, inputs = self.study, self.layout, _inputs(self.study, self.layout)
        declared = {"figures": figures_and_tables.figures(), "tables": figures_and_tables.tables()}
        entries: dict[str, dict[str, Entry]] = {"figures": {}, "tables": {}}
        for kind, names in (("figures", layout.figures()), ("tables", layout.tables())):
            for name in names:
                each: Any = declared[kind][name]
                files = {key: self._paths(value) for key, value in inputs["files_of"](each).items()}
                arguments = files | inputs["settings_of"](each)
                if kind == "figures":
                    out = {"out_pdf": self.result(f"figures/{name}.pdf"), "out_png": self.result(f"figures/{name}.png")}
                    figures.draw(name, **arguments, figures=study.figures, **out)
                else:
                    out = {"out_csv": self.result(f"tables/{name}.csv"), "out_tex": self.result(f"tables/{name}.tex")}
                    write_table(name, **arguments, labels=study.figures.labels, **out)
                words = each.model_dump(include={"section", "title", "caption", "alternative"})
                entries[kind][name] = Entry(out["out_png" if kind == "figures" else "out_csv"], **words)
        write_report(
            study=study.study,
            title=study.title,
            question=study.question,
            arms=layout.factors(),
            figures=entries["figures"],
            tables=entries["tables"],
            flows=[],
            provenance={},
            out=self.result("report.html"),
            levels=study.level_names,
            labels=study.figures.labels,
            confidence=study.statistics.confidence,
            imported=[self.path(name) for name in layout.import_accounts()],
        )

    def _paths(self, value: Any) -> Any:
        return self.path(value) if isinstance(value, str) else [self.path(each) for each in value]


def _inputs(study: Study, layout: Layout) -> dict[str, Any]:
    """The functions of ``workflow/inputs/figures.smk``, which is plain Python."""
    names: dict[str, Any] = {"STUDY": study, "LAYOUT": layout, "WorkflowError": KneeoaError}
    names["plain"] = lambda section: section.model_dump(mode="json")
    names["name_of"] = lambda level: level.name if level is not None else None
    text = (ROOT / "workflow" / "inputs" / "figures.smk").read_text()
    exec(compile(text, "figures.smk", "exec"), names)  # the workflow's own file
    return names
