"""The way each command that a page shows is run: one entry a command, exactly as the pages show it.

A command that is not here fails `test_every_shown_command_is_run`, and so does an entry that no
page shows any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Run:
    """A command that a test runs as it is shown, but for what the small form replaces."""

    command: str
    makes: tuple[str, ...] = ()
    """Files that were not there before, below the folder that it runs in; the last ones."""
    says: str = ""
    """Words that its output must hold."""
    small: Mapping[str, str] = field(default_factory=dict)
    """Parts of the command -> their replacements."""
    more: str = ""
    """Arguments that the small form appends."""
    after: tuple[str, ...] = ()
    """Shown commands that come first, in the same shell."""

    @property
    def script(self) -> str:
        """The text that the shell is given.

        Raises:
            AssertionError: the small form replaces what is not there.
        """
        lines = []
        for command in (*self.after, self.command):
            for shown, instead in self.small.items():
                command = command.replace(shown, instead)
            lines.append(command)
        for shown in self.small:
            assert any(shown in command for command in (*self.after, self.command)), f"{self.command}: there is no {shown!r} to replace"
        return "\n".join(lines) + (f" {self.more}" if self.more else "")


@dataclass(frozen=True)
class RunBy:
    """A command that others run: the ids of tests, or scripts of the project that hold it."""

    command: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class NotHere:
    """A command that no test runs, as the page says with one of the marks."""

    command: str
    mark: str
    why: str


Entry = Run | RunBy | NotHere

ACTIVATE = ". .venv/bin/activate"
APPLY = (
    "PYTHONPATH=workflow/lib python -m kneeoa.apply results/{}/runs/resnet3d-dual/seed-1 "
    "--images new_knees/ --out predictions.parquet --csv"
)
PREDICTED = ("predictions.parquet", "predictions.csv", "predictions.exclusions.parquet")
R = "results/small"

ROAD = (
    Run("snakemake -n", says="This was a dry-run"),
    Run("snakemake --cores all cohort", makes=(f"{R}/cohorts/phantom/labels.parquet", f"{R}/cohorts/phantom/exclusions.parquet")),
    Run("snakemake --cores all volumes", makes=(f"{R}/splits/phantom.flow.json", f"{R}/quality/phantom/sag_dess.pdf")),
    Run("snakemake --cores all train", makes=(f"{R}/runs/m3t-dual/seed-1/weights.safetensors",)),
    Run("snakemake --cores all statistics", makes=(f"{R}/statistics/metrics.parquet", f"{R}/statistics/contrasts.parquet")),
    Run("snakemake --cores all figures", makes=(f"{R}/figures/roc.pdf", f"{R}/figures/saliency.png")),
    Run("snakemake --cores all report", makes=(f"{R}/report.html",)),
    Run("make demo", makes=(f"{R}/tables/arms.csv",)),
)
"""Run one after the other in a clone whose `config.yaml` is `tests/small.yaml`, they make the study
that the tests of tests/end_to_end share.
"""

FINISHED = (
    Run("snakemake --cores all", says="Nothing to be done"),
    Run(".venv/bin/snakemake -n", says="Nothing to be done"),
    Run("snakemake -n --configfile tests/small.yaml", says="Nothing to be done"),
    Run("snakemake --cores all --configfile tests/small.yaml", says="Nothing to be done"),
    Run("snakemake --cores 2 figures", says="Nothing to be done"),
    Run("snakemake --cores 8 --resources gpu=4", says="Nothing to be done"),
    Run("snakemake --cores 1 crate", makes=(f"{R}/crate.zip",)),
    Run(APPLY.format("phantom"), makes=PREDICTED, small={"results/phantom": R}),
    Run(APPLY.format("coarse2fine"), makes=PREDICTED, small={"results/coarse2fine": R}),
    Run(
        ".venv/bin/python -m kneeoa.provenance.trace results/phantom/tables/contrasts.csv",
        says="read_cohort",
        small={"results/phantom": R},
        after=("export PYTHONPATH=workflow/lib",),
    ),
    Run(
        ".venv/bin/python -m kneeoa.provenance.trace results/phantom/tables/contrasts.csv --rule train_run",
        says="train_run",
        small={"results/phantom": R},
        after=("export PYTHONPATH=workflow/lib",),
    ),
    Run(
        ".venv/bin/python -m json.tool results/phantom/runs/resnet3d-dual/seed-1/run.json",
        says='"provenance"',
        small={"results/phantom": R},
    ),
    Run(
        "tail -f results/<study>/logs/train_run/<arm>-seed-<seed>.log",
        says="epoch",
        small={"tail -f": "tail -n 9", "<study>": "small", "<arm>": "m3t-dual", "<seed>": "1"},
    ),
)
"""Run in the finished small study."""

PUBLISHED = (
    Run(
        "make published",
        makes=("results/published/report.html", "results/published/tables/contrasts.csv", "results/published/figures/reliability.pdf"),
        small={"/path/with/paper_a_predictions": "raw"},
        after=("export KNEEOA_REAL_DATA=/path/with/paper_a_predictions",),
    ),
    Run(
        "snakemake --cores all --configfile workflow/studies/published.yaml",
        says="Nothing to be done",
        small={"/path/with/paper_a_predictions": "raw"},
        after=("export KNEEOA_REAL_DATA=/path/with/paper_a_predictions",),
    ),
    Run(
        "snakemake --cores all figures --configfile workflow/studies/published.yaml",
        says="Nothing to be done",
        small={"/path/with/paper_a_predictions": "raw"},
        after=("export KNEEOA_REAL_DATA=/path/with/paper_a_predictions",),
    ),
)
"""Run on nine small tables of made-up knees."""

CLONE = (
    Run(ACTIVATE),
    Run("make reference", makes=("docs/configuration.md", "docs/reruns.md")),
    Run(
        "snakemake -n --configfile workflow/studies/coarse2fine.yaml",
        says="train_run",
        small={"/path/to/oai_zib": "raw"},
        after=("export OAI_ZIB=/path/to/oai_zib",),
    ),
    Run("snakemake --cores all --configfile workflow/studies/plugin_small.yaml", says="train_run", more="-n"),
    Run("snakemake --cores all --configfile workflow/studies/plugin_phantom.yaml", says="train_run", more="-n"),
    Run("snakemake -n --configfile yours.yaml", says="train_run"),
    Run("PYTHONPATH=workflow/lib python -m kneeoa.estimate workflow/studies/plugin.yaml", says="swin"),
    Run("snakemake --profile slurm -n", says="train_run"),
    Run(
        "snakemake --profile slurm --configfile workflow/studies/mine.yaml -n",
        says="train_run",
        small={"workflow/studies/mine.yaml": "tests/small.yaml"},
    ),
)
"""Run in a fresh clone."""

AFTER_AN_EDIT = (
    Run("python -m pytest tests/unit/figures/test_roc.py", says="passed"),
    Run("ruff format .", says="left unchanged"),
    Run("ruff check . --fix", says="All checks passed"),
    Run("snakefmt Snakefile workflow"),
)
"""Run in a fresh clone, where they find nothing to mend."""

BENCHMARKS = (
    Run(".venv/bin/python benchmarks/ingest.py", more="--rounds 1 --knees 1 --radiographs 10"),
    Run(".venv/bin/python benchmarks/inference.py", more="--rounds 1"),
    Run(".venv/bin/python benchmarks/train.py", more="--rounds 1 --epochs 2 --knees 2"),
    Run(".venv/bin/python benchmarks/members.py", more="tests/small.yaml --steps 1"),
    Run(".venv/bin/python benchmarks/error_rates.py", more="--studies 2 --cells 60:10 --resamples 20"),
    Run(".venv/bin/python benchmarks/scan.py", more="--lengths 4096 --threads 1"),
    Run(".venv/bin/python benchmarks/plugin.py", more="--repeats 1 --threads 1"),
    Run(".venv/bin/python benchmarks/selections.py", more="--cases 20 --volumes 1"),
    Run(".venv/bin/python benchmarks/dag.py", more="--knees 20 --seeds 1 --runs 60 --parts plan figures"),
    Run(".venv/bin/python benchmarks/slow_files.py", more="--knees 20 --seeds 1 --latency 0"),
)
"""Run in a fresh clone with little to measure; the last line of each is one JSON object."""

SCHEDULER = (
    Run("sinfo -s", says="gpu"),
    Run("squeue --me", says="JOBID"),
    Run("squeue --me -O JobID,Partition,State,TimeUsed,Comment:60", says="COMMENT"),
    Run("squeue --me -O JobID,Partition,State,Reason,TimeUsed,Comment:60", says="REASON"),
    Run("scontrol show config", says="MinJobAge"),
)
"""Asked of the private SLURM of tests/slurm."""

PACKING = Run(".venv/bin/python benchmarks/packing.py", more="--epochs 2", says="the same, byte for byte")
"""Starts a private SLURM of its own."""

THROUGH_SLURM = (
    "tests/end_to_end/test_through_slurm.py::test_they_end_in_the_bytes_that_this_machine_made_alone",
    "tests/slurm/test_small_study.py::test_the_tables_equal_those_of_a_local_run_byte_for_byte",
)
PACKED = ("tests/slurm/test_packing.py::test_four_runs_are_one_job_on_one_gpu_and_a_failed_one_a_second",)
SITE = ("tests/slurm/test_harness.py::test_the_site_speaks_by_environment_and_profile",)
GRES = ("tests/slurm/test_harness.py::test_clusters_that_want_gres_are_asked_for_it_and_give_the_same_gpus",)

PLANNED = ("tests/workflow/test_dry_runs.py::test_the_study_of_plugins_plans_a_run_for_every_member_and_seed",)

ELSEWHERE = (
    RunBy("make test", (".ci/run",)),
    RunBy("make test-sample", (".ci/run",)),
    RunBy("make check-envs", (".ci/run",)),
    RunBy("make env", (".ci/run",)),
    RunBy("make accept", ("tests/rerun/test_accept.py::test_a_refactoring_is_accepted_and_then_nothing_runs",)),
    RunBy("make radiographs", ("tests/real_data/test_fine_tuning.py::test_the_mean_of_the_seeds_is_good",)),
    RunBy(
        "python -m pytest tests/unit/masks/test_detection.py tests/real_data/test_masks.py",
        ("tests/unit/masks/test_detection.py", "tests/real_data/test_masks.py"),
    ),
    RunBy(
        "rocrate-validator validate --profile-identifier provenance-run-crate-0.5 results/<study>/crate.zip",
        ("tests/end_to_end/test_crate.py::test_the_public_validator_finds_no_fault",),
    ),
    RunBy("snakemake --force <file>", ("tests/faults/test_interrupted.py::test_what_the_sentence_says_mends_a_damaged_file",)),
    RunBy("snakemake --profile slurm --configfile tests/small.yaml", THROUGH_SLURM),
    RunBy("snakemake --profile slurm --configfile workflow/studies/coarse2fine.yaml", THROUGH_SLURM),
    RunBy("snakemake --profile slurm --configfile workflow/studies/mine.yaml", THROUGH_SLURM),
    RunBy("snakemake --profile slurm --configfile workflow/studies/plugin.yaml", THROUGH_SLURM),
    RunBy("snakemake -n --configfile workflow/studies/plugin.yaml", PLANNED),
    RunBy("export OAI=/path/to/oai MOST=/path/to/most KNEEOA_WEIGHTS=/path/to/weights", PLANNED),
    RunBy(".venv/bin/snakemake --profile slurm", THROUGH_SLURM),
    RunBy("snakemake --profile slurm --profile profiles/slurm-gres", GRES),
    RunBy("snakemake --profile slurm --profile profiles/slurm-packed", PACKED),
    RunBy(".venv/bin/snakemake --profile slurm --profile profiles/slurm-packed", PACKED),
    RunBy(".venv/bin/snakemake --profile slurm --profile profiles/slurm-packed --group-components pack=8", PACKED),
    RunBy("snakemake --profile slurm --profile ~/my_cluster.yaml", SITE),
    RunBy("export SBATCH_ACCOUNT=...", SITE),
    RunBy("export SBATCH_ACCOUNT=my_account", SITE),
)
"""Commands that other tests run, or a script of the project that holds the very command."""

UNRUN = (
    NotHere("make demo VARIANT=cuda", "downloads", "gigabytes of CUDA; `make demo` is run with the CPU's pins"),
    NotHere("make env VARIANT=cuda", "downloads", "the same"),
    NotHere("make test-long", "the long suite", "every test that there is, these too"),
    NotHere("make lock", "downloads", "metadata of whatever is newest that day, and edits the pins"),
    NotHere("snakemake --cores all --sdm conda", "downloads", "conda's packages, by conda"),
    NotHere("snakemake --containerize apptainer", "downloads", "an image, by conda and apptainer"),
    NotHere("export SBATCH_QOS=...", "on a cluster", "sbatch's own variable; the private SLURM keeps no accounts"),
    NotHere("export SBATCH_CONSTRAINT=...", "on a cluster", "sbatch's own variable; the private SLURM has one node"),
    NotHere("export SBATCH_RESERVATION=...", "on a cluster", "sbatch's own variable; the private SLURM has no reservation"),
    NotHere("sacctmgr show assoc user=$USER", "on a cluster", "the private SLURM keeps no accounts"),
)
"""Commands that no test runs: the pages say why."""

RUN_HERE = (*ROAD, *FINISHED, *PUBLISHED, *CLONE, *AFTER_AN_EDIT, *BENCHMARKS, *SCHEDULER, PACKING)
ENTRIES: tuple[Entry, ...] = (*RUN_HERE, *ELSEWHERE, *UNRUN)


def listed() -> set[str]:
    """The commands that have an entry, or come before one that has."""
    return {entry.command for entry in ENTRIES} | {command for run in RUN_HERE for command in run.after}
